/** Names for people: minifiers shorten those in the source. */

/** Gives a class the name that printing an instance shows. */
export function nameClass(named: object, name: string): void {
  Object.defineProperty(named, "name", { value: name, configurable: true });
}
