/** What a server answers in plain text. Generated from core/data by `cargo xtask codegen`: do not edit. */

/** The plain answers by code: those of the documents, and what stands for the errors of opening and of the replay store. */
export const ANSWERS: Readonly<Record<string, { readonly status: number; readonly text: string }>> = {
  api_key_not_found: { status: 404, text: "API key not found" },
  access_denied: { status: 403, text: "You do not have access to this API." },
  envelope_not_found: { status: 400, text: "Encrypted payload not found" },
  invalid_envelope: { status: 400, text: "Invalid encrypted payload format" },
  timestamp_not_found: { status: 400, text: "Request timestamp not found in encrypted payload" },
  invalid_timestamp: { status: 400, text: "Invalid timestamp format" },
  timestamp_outside_window: { status: 400, text: "Request timestamp outside allowed window" },
  duplicate_request: { status: 400, text: "Duplicate request detected" },
  invalid_json: { status: 400, text: "Encrypted payload not found" },
  unsupported_version: { status: 400, text: "Invalid encrypted payload format" },
  decryption_failed: { status: 400, text: "Invalid encrypted payload format" },
  invalid_payload: { status: 400, text: "Invalid encrypted payload format" },
  too_large: { status: 413, text: "The server cannot answer" },
  replay_store_unavailable: { status: 503, text: "The server cannot answer" },
};
