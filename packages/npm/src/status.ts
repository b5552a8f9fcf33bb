/** Open sets of values, and those among them that are state machines. The tables are generated. */

/** The values that this release knows of an open set; others pass through as themselves. */
export interface ValueList<Value extends string> {
  /** The values known here. */
  readonly values: readonly Value[];

  /** Whether a value is known here. */
  isKnown(value: string): value is Value;
}

/** A {@link ValueList} with the moves that its values allow. */
export interface StatusModel<Value extends string> extends ValueList<Value> {
  /** Whether the model allows the step from one status to another; none to or from an unknown one is. */
  canBecome(from: Value | (string & {}), to: Value | (string & {})): boolean;

  /** Whether nothing follows this status; an unknown one may go on. */
  isTerminal(status: Value | (string & {})): boolean;
}

/** Makes a list of values. */
export function valueList<Value extends string>(values: readonly Value[]): ValueList<Value> {
  return { values, isKnown: (value): value is Value => (values as readonly string[]).includes(value) };
}

/** Makes a model: every value with the values it can become, and the values that are ends. */
export function statusModel<Value extends string>(
  moves: Readonly<Record<Value, readonly Value[]>>,
  ends: readonly Value[],
): StatusModel<Value> {
  const movesOf = new Map<string, readonly string[]>(Object.entries(moves));
  return {
    ...valueList(Object.keys(moves) as Value[]),
    canBecome: (from, to) => movesOf.get(from)?.includes(to) ?? false,
    isTerminal: (status) => (ends as readonly string[]).includes(status),
  };
}
