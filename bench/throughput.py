#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Accepted and delivered events per second, beside what wrk alone reaches against nginx.

Everything runs on loopback in a temporary folder: nginx is the receiver, wrk posts one call a
request. L is wrk posting the same 780-byte body to nginx, measured in the same run; all rates are
also given as shares of L, because machines differ and are noisy.
"""
import argparse
import json
import os
import pathlib
import signal
import socket
import statistics
import subprocess
import tempfile
import time
import urllib.request

BODY_BYTES = 780

NGINX_CONF = """
worker_processes 1; daemon off; pid nginx.pid; error_log stderr error;
events {{ worker_connections 1024; }}
http {{ access_log off; keepalive_requests 1000000000; client_body_buffer_size 64k;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  server {{ listen 127.0.0.1:{port} backlog=1024; location / {{ return 200 "ok"; }} }} }}
"""

WRK_LUA = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer {token}"
wrk.body = [==[{body}]==]
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for_port(port, process):
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SystemExit(f"{process.args[0]} ended with {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
            return
        except OSError:
            time.sleep(0.02)
    raise SystemExit(f"nothing listens on port {port}")


def call(url, token, body=None, method=None):
    request = urllib.request.Request(url, method=method or ("POST" if body else "GET"))
    request.add_header("Authorization", f"Bearer {token}")
    data = None
    if body is not None:
        data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, data) as answer:
        text = answer.read().decode()
        return json.loads(text) if text.startswith("{") else text


def metric(base, name):
    for line in call(f"{base}/metrics", "").splitlines():
        if line.startswith(name + " "):
            return float(line.split()[1])
    raise SystemExit(f"no metric {name}")


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mb(pid, field):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) / 1024
    return 0.0


def wrk(url, lua, seconds, connections):
    out = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(lua), url],
        capture_output=True, text=True, check=True).stdout
    errors = [l.strip() for l in out.splitlines() if "Non-2xx" in l or "Socket errors" in l]
    rate = float(next(l for l in out.splitlines() if "Requests/sec" in l).split()[1])
    return rate, errors


class Bench:
    def __init__(self, args, folder):
        self.args = args
        self.folder = pathlib.Path(folder)
        self.children = []

    def start(self, argv, **kwargs):
        process = subprocess.Popen(argv, cwd=self.folder, **kwargs)
        self.children.append(process)
        return process

    def stop(self):
        for process in reversed(self.children):
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def start_nginx(self):
        self.sink_port = free_port()
        conf = self.folder / "nginx.conf"
        conf.write_text(NGINX_CONF.format(port=self.sink_port))
        process = self.start(["nginx", "-p", str(self.folder), "-c", str(conf)])
        wait_for_port(self.sink_port, process)

    def start_callsync(self):
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.server = self.start(
            [str(pathlib.Path(self.args.program).resolve()), "serve",
             "--listen", f"127.0.0.1:{self.port}", "--data", str(self.folder / "data"),
             "--allow-targets", "127.0.0.0/8", "--admin-token", "bench-admin-token-0123456789"],
            stdout=subprocess.DEVNULL)
        wait_for_port(self.port, self.server)
        org = call(f"{self.base}/v1/orgs", "bench-admin-token-0123456789", {"name": "bench"})
        self.token = org["token"]["secret"]
        for i in range(self.args.endpoints):
            call(f"{self.base}/v1/endpoints", self.token,
                 {"url": f"http://127.0.0.1:{self.sink_port}/hook/{i}", "max_in_flight": 100})

    def lua(self, name, body, token="none"):
        path = self.folder / name
        path.write_text(WRK_LUA.format(token=token, body=body))
        return path

    def limit(self):
        lua = self.lua("limit.lua", "x" * BODY_BYTES)
        return wrk(f"http://127.0.0.1:{self.sink_port}/", lua, 4, 64)[0]

    def run(self, seconds):
        body = json.dumps({"type": "incoming", "phone": "+919876543210", "name": "John Doe",
                           "duration": 124, "started_at": "2024-04-28T11:58:00Z"})
        if self.args.batch > 1:
            body = json.dumps({"calls": [json.loads(body)] * self.args.batch})
        path = "/v1/calls/batch" if self.args.batch > 1 else "/v1/calls"
        lua = self.lua("calls.lua", body, self.token)
        before = {n: metric(self.base, n) for n in NAMES}
        cpu, began = cpu_seconds(self.server.pid), time.monotonic()
        _, errors = wrk(self.base + path, lua, seconds, self.args.connections)
        took = time.monotonic() - began
        at_end = {n: metric(self.base, n) for n in NAMES}
        peak = memory_mb(self.server.pid, "VmHWM")
        target = before[DELIVERED] + (at_end[LOGGED] - before[LOGGED]) * self.args.endpoints
        while metric(self.base, DELIVERED) < target:
            time.sleep(0.02)
        drained = time.monotonic() - began
        deliveries = (at_end[LOGGED] - before[LOGGED]) * self.args.endpoints
        return {
            "accepted_per_s": (at_end[LOGGED] - before[LOGGED]) / took,
            "delivered_per_s": deliveries / drained,
            "backlog_at_end": deliveries - (at_end[DELIVERED] - before[DELIVERED]),
            "cpu_us_per_delivery": (cpu_seconds(self.server.pid) - cpu) * 1e6 / deliveries,
            "ops_per_commit": (at_end[OPS] - before[OPS]) /
                              max(1, at_end[COMMITS] - before[COMMITS]),
            "store_busy": (at_end[COMMIT_US] - before[COMMIT_US]) / 1e6 / took,
            "commits_per_s": (at_end[COMMITS] - before[COMMITS]) / took,
            "peak_mb": peak,
            "errors": errors,
        }


LOGGED = "callsync_calls_logged_total"
DELIVERED = "callsync_deliveries_delivered_total"
COMMITS = "callsync_store_commits_total"
OPS = "callsync_store_operations_total"
COMMIT_US = "callsync_store_commit_microseconds_total"
NAMES = (LOGGED, DELIVERED, COMMITS, OPS, COMMIT_US)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", required=True)
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--endpoints", type=int, default=1)
    parser.add_argument("--batch", type=int, default=1)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(args, folder)
        try:
            bench.start_nginx()
            bench.start_callsync()
            idle = memory_mb(bench.server.pid, "VmRSS")
            limits, rows = [], []
            for i in range(args.runs):
                limits.append(bench.limit())
                row = bench.run(args.seconds)
                rows.append(row)
                print(f"run {i + 1}: L {limits[-1]:.0f}/s, accepted {row['accepted_per_s']:.0f}/s, "
                      f"delivered {row['delivered_per_s']:.0f}/s "
                      f"({row['delivered_per_s'] / limits[-1]:.2f} L), "
                      f"{row['cpu_us_per_delivery']:.0f} us CPU a delivery, "
                      f"{row['ops_per_commit']:.0f} ops a commit, {row['commits_per_s']:.0f} commits/s, store busy {row['store_busy']:.0%}, peak {row['peak_mb']:.0f} MB "
                      f"{' '.join(row['errors'])}", flush=True)
            ratio = [r["delivered_per_s"] / l for r, l in zip(rows, limits)]
            print(f"median: L {statistics.median(limits):.0f}/s, "
                  f"accepted {statistics.median(r['accepted_per_s'] for r in rows):.0f}/s, "
                  f"delivered {statistics.median(r['delivered_per_s'] for r in rows):.0f}/s = "
                  f"{statistics.median(ratio):.2f} L, "
                  f"{statistics.median(r['cpu_us_per_delivery'] for r in rows):.0f} us CPU, "
                  f"idle {idle:.0f} MB")
        finally:
            bench.stop()


if __name__ == "__main__":
    main()
