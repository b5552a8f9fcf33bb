/** Names for people: minifiers shorten those in the source. */

/**
 * Makes `instanceof` true for the instances of any copy of this package: an application can have several, as ES modules and
 * as CommonJS, with native code and with WebAssembly. A subclass keeps to its own instances.
 */
export function brandClass(branded: { readonly prototype: object }, name: string): void {
  const brand = Symbol.for(`cardseal.${name}`);
  Object.defineProperty(branded.prototype, brand, { value: true });
  Object.defineProperty(branded, Symbol.hasInstance, {
    value(this: unknown, value: unknown): boolean {
      const isOwn = () => Function.prototype[Symbol.hasInstance].call(this, value);
      return this === branded ? typeof value === "object" && value !== null && brand in value : isOwn();
    },
  });
}

/** Gives a class the name that printing an instance shows. */
export function nameClass(named: object, name: string): void {
  Object.defineProperty(named, "name", { value: name, configurable: true });
}
