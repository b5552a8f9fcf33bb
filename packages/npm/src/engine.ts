/**
 * The seam between this package and the core: operations on fields, carried by N-API or by WebAssembly.
 *
 * Both engines are the same Rust code and know the same operations (`bindings/calls`), which they name themselves.
 */

import { ApiError, EnvelopeError } from "./errors.js";
import { arrayKind, arrayLength, isUnshared } from "./intrinsics.js";

/** Which build of the core does the work: native code, or WebAssembly. */
export type EngineName = "napi" | "wasm";

/** What goes into a call or comes out of it; `undefined` is a field that is not there. */
export type Field = string | Uint8Array | undefined;

/** The field or the fields that an operation gives; an array that begins with a number is an error. */
export type Reply = Field | readonly (Field | number)[];

/** A build of the core. */
export interface Engine {
  readonly name: EngineName;

  /** Grows when the engine had to start anew, which makes every handle invalid; never for an engine that cannot trap. */
  readonly generation: number;

  /** Whether {@link generation} can grow. */
  readonly canTrap: boolean;

  /** A clock cell in memory of the engine's own, whose address it need not be told; not every engine has one. */
  readonly cell?: Float64Array | undefined;

  /** Called when the engine has started anew, before the call for which it did. */
  onRestart?: (() => void) | undefined;

  /** Performs an operation. `clock` is {@link clockOf} the engine, or nothing for one that makes no stamp. */
  call(operation: number, handle: number, clock: Float64Array | undefined, ...fields: readonly Field[]): Reply;

  /**
   * Performs an operation that seals, with a payload as its first field; nothing for one that has to come as JSON text. Not
   * every engine looks into JavaScript's values.
   */
  seal?(
    operation: number,
    handle: number,
    clock: Float64Array | undefined,
    payload: unknown,
    fields: readonly Field[],
  ): Reply | undefined;
}

/** The numbers of the operations, by name. */
export type Operations = Readonly<Record<OperationName, number>>;

/** The operations that this package uses; an engine that lacks one is of another version. */
type OperationName =
  | "canonical"
  | "correctClock"
  | "decrypt"
  | "deriveKey"
  | "encrypt"
  | "fingerprint"
  | "fromKey"
  | "fromSecret"
  | "generateKey"
  | "open"
  | "openRequest"
  | "openResponse"
  | "openWebhook"
  | "path"
  | "release"
  | "replayKeys"
  | "retry"
  | "seal"
  | "sealRequest"
  | "sealResponse"
  | "sealWebhook"
  | "timestamp"
  | "validate";

/** An engine that has started, with its operations. */
export interface Core {
  readonly engine: Engine;
  readonly operations: Operations;
}

/**
 * Says how to load the engine. An entry calls this once; nothing is loaded before the first call that needs it.
 *
 * @internal
 */
export function useEngine(load: () => Core): void {
  loadCore = load;
}

/** The core, loaded at first use. */
export function core(): Core {
  loaded ??= loadCore();
  return loaded;
}

/**
 * Which engine this entry uses: `"napi"` for native code, `"wasm"` for WebAssembly. Loads it if that has not happened.
 *
 * @example
 * ```ts
 * import { engineName } from "cardseal/wasm";
 *
 * console.log(engineName()); // wasm
 * ```
 */
export function engineName(): EngineName {
  return core().engine.name;
}

/**
 * Starts an engine: asks it for its version and its operations.
 *
 * @throws Error if it is of another version than this package.
 */
export function start(engine: Engine): Core {
  const [version, ...names] = fields(engine.call(NAMES_OPERATION, 0, undefined)) as string[];
  if (version !== VERSION) {
    throw new Error(
      `the ${engine.name} engine is of version ${version}, the package of ${VERSION}: install them together`,
    );
  }
  return { engine, operations: Object.fromEntries(names.map((name, number) => [name, number])) as Operations };
}

/** Performs an operation that needs no envelope. */
export function perform(operation: OperationName, ...given: readonly Field[]): readonly Field[] {
  const { engine, operations } = core();
  return fields(engine.call(operations[operation], 0, clockOf(engine), ...given));
}

/**
 * The fields of a reply; throws the error that it may be instead. `status` is that of the response it is about, `bigints`
 * how its payload is read.
 */
export function fields(reply: Reply, status?: number, bigints?: boolean): readonly Field[] {
  if (!Array.isArray(reply)) {
    return [reply as Field];
  }
  if (typeof reply[0] !== "number") {
    return reply as readonly Field[];
  }
  const [verdict, ...given] = reply;
  throw verdict === REFUSED ? EnvelopeError.of(given, status) : ApiError.of(given, status ?? 0, bigints);
}

/** The text that a reply is; throws the error that it may be instead. */
export function text(reply: Reply): string {
  return typeof reply === "string" ? reply : (fields(reply)[0] as string);
}

/**
 * The last stamp of any copy of this package in this realm, and the wall clock's reading behind it; nothing where the cell
 * is the engine's own.
 *
 * It is all that copies share: nonces are private to each, since a script that could rewind them could break the cipher.
 */
export function clockOf({ cell }: Engine): Float64Array | undefined {
  try {
    const shared: unknown = (globalThis as { [CLOCK]?: unknown })[CLOCK];
    if (cell && shared === cell) {
      return undefined;
    }
    if (isClock(shared)) {
      return shared;
    }
    Object.defineProperty(globalThis, CLOCK, { value: cell ?? ownCell, configurable: true, writable: true });
  } catch {
    // A realm that was locked, or a getter that throws: this copy then increases by itself alone.
  }
  return cell ? undefined : ownCell;
}

/** Moves every stamp from now on, in place of any earlier offset; what was stamped before holds none of them back. */
export function correctClock(offsetMicros: number): void {
  const { engine } = core();
  const correct = (): void => {
    perform("correctClock", String(Math.abs(offsetMicros)), offsetMicros < 0 ? "true" : undefined);
  };
  correct();
  engine.onRestart = correct;
  const cell = clockOf(engine) ?? engine.cell;
  if (cell) {
    cell[0] = 0;
    cell[1] = 0;
  }
}

/** Whether it is what a copy of this package would put there. */
function isClock(value: unknown): value is Float64Array {
  return (
    arrayKind(value) === "Float64Array" && arrayLength(value as Float64Array) === 2 && isUnshared(value as Float64Array)
  );
}

const CLOCK: unique symbol = Symbol.for("cardseal.clock") as never;
const ownCell = /* @__PURE__ */ new Float64Array(2);

const NAMES_OPERATION = 0;

/** The verdict of an array that is an error of the core. */
export const REFUSED = 1;

let loaded: Core | undefined;
let loadCore: () => Core;

/** The package's version, put here by the build. */
declare const VERSION: string;
