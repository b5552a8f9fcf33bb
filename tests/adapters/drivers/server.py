"""The driver of Python's middlewares, after ../README.md: `server.py starlette|fastapi|flask|django`."""

import asyncio
import json
import os
import socket
import sys
import threading
import wsgiref.simple_server
from socketserver import ThreadingMixIn

from cardseal import Envelope, MemoryReplayStore, asgi, wsgi

API_KEY, ENVELOPE = os.environ["CARDSEAL_API_KEY"], Envelope(os.environ["CARDSEAL_SECRET"])
REDIS = os.environ.get("CARDSEAL_REDIS")
ran, events = [], []


def handle(payload):
    """Do what a payload asks for: give status and body."""
    ran.append(None)
    if payload.get("raise"):
        raise RuntimeError("as the payload asked")
    if "answer" in payload:
        return payload["answer"]["status"], payload["answer"]["body"]
    payload.pop("request_timestamp")
    return 200, {"seen": payload}


def on_webhook(webhook):
    if webhook.payload.get("refuse"):
        raise RuntimeError("as the payload asked")
    events.append(webhook.dedupe_key)


def starlette():
    from starlette.applications import Starlette
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    async def api(request):
        status, body = handle(await request.json())
        return JSONResponse(body, status)

    async def show(request):
        return JSONResponse(len(ran) if request.url.path == "/count" else events)

    routes = [Route("/api/{rest:path}", api, methods=["POST"]), Route("/count", show), Route("/events", show)]
    serve_asgi(Starlette(routes=routes))


def fastapi():
    from fastapi import FastAPI, Request
    from fastapi.responses import JSONResponse

    app = FastAPI()

    @app.post("/api/{rest:path}")
    async def api(request: Request) -> JSONResponse:
        status, body = handle(await request.json())
        return JSONResponse(body, status)

    @app.get("/count")
    def count() -> int:
        return len(ran)

    @app.get("/events")
    def show() -> list:
        return events

    serve_asgi(app)


def flask():
    from flask import Flask, jsonify, request

    app = Flask(__name__)

    @app.post("/api/<path:rest>")
    def api(rest):
        status, body = handle(request.get_json())
        return jsonify(body), status

    app.get("/count")(lambda: jsonify(len(ran)))
    app.get("/events", endpoint="events")(lambda: jsonify(events))
    serve_wsgi(app)


def django():
    from django.conf import settings
    from django.core.wsgi import get_wsgi_application
    from django.http import JsonResponse
    from django.urls import path, re_path

    def api(request):
        status, body = handle(json.loads(request.body))
        return JsonResponse(body, status=status, safe=False)

    urls = type(sys)("urls")
    urls.urlpatterns = [
        re_path("^api/", api),
        path("count", lambda _: JsonResponse(len(ran), safe=False)),
        path("events", lambda _: JsonResponse(events, safe=False)),
    ]
    settings.configure(ROOT_URLCONF=urls, ALLOWED_HOSTS=["*"], SECRET_KEY="of no use here")
    serve_wsgi(get_wsgi_application())


def serve_asgi(app):
    import uvicorn

    async def main():
        store, webhooks = MemoryReplayStore(), asgi.MemoryWebhookStore()
        if REDIS:
            from cardseal.redis import AsyncRedisReplayStore, AsyncRedisWebhookStore

            store, webhooks = AsyncRedisReplayStore.from_url(REDIS), AsyncRedisWebhookStore.from_url(REDIS)
        sealed = asgi.SealMiddleware(app, {API_KEY: ENVELOPE}.get, store)
        served = asgi.WebhookMiddleware(sealed, "/webhooks", ENVELOPE, on_webhook, webhooks)
        listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        server = uvicorn.Server(uvicorn.Config(served, log_level="error"))
        running = asyncio.ensure_future(server.serve([listener]))
        announce(listener.getsockname()[1])
        await asyncio.to_thread(sys.stdin.read)
        server.should_exit = True
        await running

    asyncio.run(main())


def serve_wsgi(app):
    store, webhooks = MemoryReplayStore(), wsgi.MemoryWebhookStore()
    if REDIS:
        from cardseal.redis import RedisReplayStore, RedisWebhookStore

        store, webhooks = RedisReplayStore.from_url(REDIS), RedisWebhookStore.from_url(REDIS)
    sealed = wsgi.SealMiddleware(app, {API_KEY: ENVELOPE}.get, store)
    served = wsgi.WebhookMiddleware(sealed, "/webhooks", ENVELOPE, on_webhook, webhooks)

    class Server(ThreadingMixIn, wsgiref.simple_server.WSGIServer):
        daemon_threads, request_queue_size = True, 128

    class Quiet(wsgiref.simple_server.WSGIRequestHandler):
        def log_message(self, *_):
            pass

    server = wsgiref.simple_server.make_server("127.0.0.1", 0, served, Server, Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    announce(server.server_port, chunked=False)
    sys.stdin.read()


def announce(port, **about):
    print(json.dumps({"url": f"http://127.0.0.1:{port}", **about}), flush=True)


if __name__ == "__main__":
    {"starlette": starlette, "fastapi": fastapi, "flask": flask, "django": django}[sys.argv[1]]()
