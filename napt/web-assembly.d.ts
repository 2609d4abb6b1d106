// Of WebAssembly's JavaScript interface, what is used here: TypeScript has it with the DOM's types alone.
declare namespace WebAssembly {
  class Memory {
    /** Pages of 64 KiB. Shared memory has a maximum, and views of it stay good when it grows. */
    constructor(descriptor: { readonly initial: number } | { readonly initial: number, readonly maximum: number, readonly shared: true })
    readonly buffer: ArrayBufferLike
    /** By so many pages. @throws RangeError when there is not so much */
    grow(pages: number): number
  }
  class Module {
    constructor(bytes: Uint8Array)
  }
  class Instance {
    constructor(module: Module, imports: Readonly<Record<string, Readonly<Record<string, Memory>>>>)
    readonly exports: Readonly<Record<string, unknown>>
  }
}
