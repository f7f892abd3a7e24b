// In the place of d3-geo (build.mjs), which only Plot's maps need: the page is 8 kB smaller.

function noMaps(): never {
  throw new Error('figures draw no maps');
}

/** Plot makes two of these as it loads, and uses none without a map. */
export const geoTransform = (methods: object): object => methods;

export {
  noMaps as geoAlbers, noMaps as geoAlbersUsa, noMaps as geoAzimuthalEqualArea, noMaps as geoAzimuthalEquidistant,
  noMaps as geoCentroid, noMaps as geoClipRectangle, noMaps as geoConicConformal, noMaps as geoConicEqualArea,
  noMaps as geoConicEquidistant, noMaps as geoEqualEarth, noMaps as geoEquirectangular, noMaps as geoGnomonic,
  noMaps as geoGraticule, noMaps as geoGraticule10, noMaps as geoMercator, noMaps as geoOrthographic, noMaps as geoPath, noMaps as geoStereographic,
  noMaps as geoStream, noMaps as geoTransverseMercator,
};
