// The science, compiled to WebAssembly (web/module): a question in JSON, the answer in JSON.

interface Exports {
  memory: WebAssembly.Memory;
  _initialize(): void;
  bitlaw_memory(size: number): number;
  bitlaw_ask(text: number, size: number): number;
  bitlaw_answer(): number;
}

export type Json = null | boolean | number | string | Json[] | {[key: string]: Json};
export type Question = {verb: string} & {[key: string]: Json};

export class Module {
  private constructor(private readonly compiled: WebAssembly.Module, private exports: Exports) {}

  static async from(bytes: BufferSource): Promise<Module> {
    const compiled = await WebAssembly.compile(bytes);
    return new Module(compiled, start(compiled));
  }

  /** The answer, or {"error": "a sentence"}. */
  ask(question: Question): Json {
    const text = new TextEncoder().encode(JSON.stringify(question));
    try {
      const at = this.exports.bitlaw_memory(text.length);
      if (at === 0) return {error: 'the question is too large for this page'};
      new Uint8Array(this.exports.memory.buffer, at, text.length).set(text);
      const size = this.exports.bitlaw_ask(at, text.length);
      const answer = new Uint8Array(this.exports.memory.buffer, this.exports.bitlaw_answer(), size);
      return JSON.parse(new TextDecoder().decode(answer)) as Json;
    } catch (error) {
      // Out of memory, or a fault of ours: what the module's memory holds is no longer known.
      this.exports = start(this.compiled);
      return {error: `this question stopped the engine (${String(error)}); please report it`};
    }
  }
}

function start(compiled: WebAssembly.Module): Exports {
  const imports: WebAssembly.Imports = {};
  for (const {module, name} of WebAssembly.Module.imports(compiled)) {
    // An answer needs no operating system.
    (imports[module] ??= {})[name] = () => {
      throw new Error(`${name} was called`);
    };
  }
  const exports = new WebAssembly.Instance(compiled, imports).exports as unknown as Exports;
  exports._initialize();
  return exports;
}
