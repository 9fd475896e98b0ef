# shop.py
import json, os, urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

STOCK = os.environ["STOCK_URL"]
TIMEOUT = os.environ.get("STOCK_TIMEOUT")  # in seconds; without it, as long as it takes


def in_stock():
    try:
        timeout = float(TIMEOUT) if TIMEOUT else None
        with urllib.request.urlopen(STOCK, timeout=timeout) as response:
            return json.load(response)["count"]
    except OSError:
        return None  # nobody knows


class Shop(BaseHTTPRequestHandler):
    def do_GET(self):
        page = {"status": "ok"} if self.path == "/health" else {"product": self.path, "in_stock": in_stock()}
        body = json.dumps(page).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Shop).serve_forever()
