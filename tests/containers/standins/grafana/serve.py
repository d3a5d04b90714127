"""What Grafana would have found: its password, and the files it provisions from."""

import http.server
import json
import os
import pathlib

found = {
    "has_password": bool(pathlib.Path(os.environ["GF_SECURITY_ADMIN_PASSWORD__FILE"]).read_text()),
    "sources": [
        p.read_text() for p in pathlib.Path("/etc/grafana/provisioning/datasources").iterdir()
    ],
    "providers": [
        p.read_text() for p in pathlib.Path("/etc/grafana/provisioning/dashboards").iterdir()
    ],
    "dashboards": [
        json.loads(p.read_text())["title"] for p in pathlib.Path("/etc/dashboards").iterdir()
    ],
}
pathlib.Path("/var/lib/grafana/can-write").touch()


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(found).encode())


http.server.HTTPServer(("", 3000), Page).serve_forever()
