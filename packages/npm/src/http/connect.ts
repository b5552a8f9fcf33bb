/** Whether a failure of the transport is proof that nothing was sent. */

/**
 * Whether a connection never came about: the name was not found, the port refused, the certificate was not trusted. All that
 * cannot be told apart from an attempt that arrived is false.
 *
 * The words are those of Node (under `fetch`, undici and axios), Deno and Bun. Browsers and workerd say nothing.
 */
export function neverConnected(error: unknown): boolean {
  if (typeof error !== "object" || error === null) {
    return false;
  }
  const { code, syscall, message, errors, cause } = error as Partial<Record<string, unknown>>;
  if (Array.isArray(errors) && errors.length > 0) {
    return errors.every(neverConnected); // one for each address that was tried
  }
  return (
    syscall === "connect" ||
    syscall === "getaddrinfo" ||
    (typeof code === "string" && CODES.test(code)) ||
    (typeof message === "string" && MESSAGES.test(message)) ||
    neverConnected(cause)
  );
}

/**
 * A certificate is judged before the first byte of a request leaves. An alert of the other side (`ERR_SSL_…`) is not here:
 * since TLS 1.3 it can come after the request.
 */
const CODES =
  /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|UND_ERR_CONNECT_TIMEOUT|ConnectionRefused|FailedToOpenSocket|ERR_TLS_CERT_ALTNAME_INVALID|UNABLE_TO_(GET_ISSUER_CERT|GET_ISSUER_CERT_LOCALLY|VERIFY_LEAF_SIGNATURE)|(DEPTH_ZERO_)?SELF_SIGNED_CERT(_IN_CHAIN)?|CERT_(HAS_EXPIRED|NOT_YET_VALID|SIGNATURE_FAILURE|REVOKED|UNTRUSTED|REJECTED)|HOSTNAME_MISMATCH|INVALID_(CA|PURPOSE))$/;

const MESSAGES =
  /^Client network socket disconnected before secure TLS connection was established$|: client error \(Connect\)/;
