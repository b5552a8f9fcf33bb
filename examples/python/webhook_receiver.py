"""A receiver of webhooks: an HTTP server that opens them, drops repeats and answers; subscribed, called."""

import threading
from wsgiref.simple_server import WSGIRequestHandler, make_server

from account import SECRET, card

from cardseal import Client, Envelope
from cardseal.wsgi import MemoryWebhookStore, WebhookMiddleware

has_ended = threading.Event()


def on_webhook(webhook):
    """Called once for each event, though the sender may deliver it more often. If it raises, the sender comes again."""
    print("webhook", webhook.type, "·", (webhook.payload.get("order") or webhook.payload.get("card"))["card_id"])
    if webhook.type == "order.status_changed" and webhook.payload["order"]["status"] == "completed":
        has_ended.set()


def not_found(_environ, start_response):
    start_response("404 Not Found", [])
    return []


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        """Log nothing."""


app = WebhookMiddleware(not_found, "/webhooks", Envelope(SECRET), on_webhook, MemoryWebhookStore())
with make_server("127.0.0.1", 0, app, handler_class=Quiet) as server:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    client = Client.from_env()
    subscription = client.call("/wh/subscribe", {"url": f"http://127.0.0.1:{server.server_port}/webhooks"})
    card()  # whose order now ends, as a webhook says
    arrived = has_ended.wait(timeout=30)
    client.call("/wh/unsubscribe", {"id": subscription["id"]})
    server.shutdown()
if not arrived:
    raise SystemExit("no webhook said that the order has ended")
