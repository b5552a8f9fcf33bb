"""Each kind of error, met and handled: what the code says, and whether it is worth trying again."""

import socket

from account import API_KEY, SECRET, URL, ask_sandbox, card

from cardseal import ApiError, Client, Envelope, EnvelopeError, OutcomeUnknownError

client = Client(URL, API_KEY, SECRET, attempts=1)


def show(title, act):
    """Every error of the package in one place: the order of these clauses serves an integration as well."""
    try:
        act()
    except ApiError as error:  # the API has said no: sealed with a slug, or plain before it opened the request
        print(f"{title:24} {error.code or 'no code'} · status {error.status}, {error.failure_class}")
    except OutcomeUnknownError as error:  # it may have been done: ask the API, or call again with the same key
        print(f"{title:24} outcome unknown · key {error.idempotency_key}, {error.attempts} attempt")
    except EnvelopeError as error:  # refused before it was sent, or an answer that cannot be believed
        print(f"{title:24} {error.code} · {error.message}")
    except OSError as error:  # nobody listens, and nothing was done
        print(f"{title:24} {type(error).__name__} · nothing was done")
    else:
        raise SystemExit(f"{title}: no error")


card_id, user_id = card()
topup = {"card_id": card_id, "amount": "20.00"}
show("an unknown card", lambda: client.call("/cards/get", {"card_id": "card_0"}))
show("too much", lambda: client.call("/cards/topup", {**topup, "amount": "9999999.00"}, f"much-{card_id}"))
show("no idempotency key", lambda: client.call("/cards/topup", topup))
show("an unknown API key", lambda: Client(URL, "key_of_nobody", SECRET).call("/project/balance"))
show("another secret", lambda: Client(URL, API_KEY, "the_secret_of_another_key").call("/project/balance"))
show("a body of somebody else", lambda: Envelope(SECRET).open(Envelope("another_secret").seal({})))
with socket.socket() as unused:
    unused.bind(("127.0.0.1", 0))
    nobody = f"http://127.0.0.1:{unused.getsockname()[1]}"
    show("nobody listens", lambda: Client(nobody, API_KEY, SECRET, attempts=1).call("/project/balance"))
if ask_sandbox(
    "/control/faults", {"kind": "status", "status": 503, "when": "before", "path": "/cards/get", "count": 1}
):
    show("a busy server", lambda: client.call("/cards/get", {"card_id": card_id}))
if ask_sandbox("/control/faults", {"kind": "drop", "when": "after", "path": "/cards/freeze", "count": 1}):
    show(
        "an answer that is lost",
        lambda: client.call("/cards/freeze", {"card_id": card_id, "external_user_id": user_id}),
    )
