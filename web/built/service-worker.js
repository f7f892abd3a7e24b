// Keeps the planner's folder for use without a network. The cache has the name of this build, so that a
// new one replaces it as a whole.
'use strict';
const kCache = 'bitlaw-planner-00705d3edfa226b0';
const kFiles = ['./', 'icon.svg', 'manifest.webmanifest'];

self.addEventListener('install', event => {
  event.waitUntil(caches.open(kCache).then(cache => cache.addAll(kFiles)).then(() => self.skipWaiting()));
});

self.addEventListener('activate', event => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) {
      if (name.startsWith('bitlaw-planner-') && name !== kCache) await caches.delete(name);
    }
    await self.clients.claim();
  })());
});

self.addEventListener('fetch', event => {
  if (event.request.method !== 'GET') return;
  event.respondWith(caches.match(event.request, {ignoreSearch: true}).then(kept => kept ?? fetch(event.request)));
});
