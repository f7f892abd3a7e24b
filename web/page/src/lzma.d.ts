// What the worker needs of lzma1: build.mjs resolves these names. Its own types are sources that are not
// strict, and its entry would bring the encoder.
declare module 'lzma1/decoder' {
  import type {InputBuffer, OutputBuffer} from 'lzma1/streams';
  export class Decoder {
    decompress(input: InputBuffer, output: OutputBuffer): void;
  }
}
declare module 'lzma1/streams' {
  export class InputBuffer {
    constructor(bytes: Uint8Array);
  }
  export class OutputBuffer {
    constructor(size: number);
    toArray(): Uint8Array<ArrayBuffer>;
  }
}
