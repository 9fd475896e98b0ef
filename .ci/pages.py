"""Makes pages of reports and opens them: see .ci/pages, which installs what is imported here."""
import os, pathlib, resource, shutil, subprocess, sys, time
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

CHAOS = os.environ["CHAOS"]
OUT = pathlib.Path(sys.argv[1])
# Those that are named, or all.
NAMED = sys.argv[2:]
WIDTHS = (360, 800, 1600)
# Words of others: they are shown as they are, and mean nothing.
HOSTILE = "<script>alert(1)</script> & \\\"quotes\\\" <img src=http://127.0.0.1:9/x onerror=alert(2)> " + "W" * 120
wrong = []


def say(page, what):
    wrong.append(f"{page}: {what}")
    print(f"  wrong: {page}: {what}", flush=True)


def chaos(*args, codes=(0,)):
    done = subprocess.run([CHAOS, *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, stdin=subprocess.DEVNULL)
    if done.returncode not in codes:
        sys.exit(f"chaos {' '.join(map(str, args))}: exit code {done.returncode}, not {codes}\n{done.stdout[:2000]}")
    return done


def scenario(name, title, load, faults, expects):
    head = "".join(f'{key} = "{value}"\n' for key, value in load.items())
    text = f'title = "{title}"\n\n[load]\nrequest = "GET /api/profile/{{user}}"\nvars.user = "zipf 1..500"\n{head}'
    for kind, tables in (("fault", faults), ("expect", expects)):
        for table in tables:
            text += f"\n[[{kind}]]\n" + "".join(f'{key} = "{value}"\n' for key, value in table.items())
    path = OUT / f"{name}.toml"
    path.write_text(text)
    return path


def delay(name, at, **more):
    return {"name": name, "on": "client -> gateway", "effect": "delay", "delay": "20ms", "at": at, "for": "1s"} | more


def pages():
    """Name, scenarios, exit code."""
    load = {"rate": "50/s", "duration": "9s"}
    outage = {"name": "outage", "on": "gateway -> redis", "effect": "refuse", "at": "3s", "for": "3s"}
    well = {"that": "nobody notices", "during": "outage", "availability": ">= 99%"}
    users = {"name": "outage", "on": "gateway -> user-service", "effect": "status", "status": "503", "at": "3s", "for": "3s"}
    nobody = outage | {"effect": "status", "on": "gateway -> user-service", "status": "503", "only.path": "/nowhere"}
    yield "pass", [scenario("pass", "Redis is away", load, [outage], [well])], 0
    hostile = {"that": HOSTILE, "during": "outage", "partial": "== 0%"}
    yield "fail", [scenario("fail", HOSTILE, load, [users], [hostile, well])], 1
    yield "inconclusive", [scenario("inconclusive", "Nobody is met", load, [nobody], [well])], 4
    yield "folder", ["scenarios"], 0
    day = delay("noon", "12h") | {"for": "10m"}
    yield "day", [scenario("day", "A day", {"rate": "1/s", "duration": "24h"}, [day],
                           [{"that": "it is only slower", "during": "noon", "availability": ">= 99%"}])], 0
    many = [delay(f"slow-{n}", f"{n}s") for n in range(1, 501)]
    yield "many", [scenario("many", "Five hundred faults", {"rate": "20/s", "duration": "506s"}, many,
                            [{"that": "all is well", "after": "slow-500", "within": "2s", "availability": ">= 99%"}])], 0


def look(browser, name, file, kept=True):
    """What is wrong with a page at each width, in light and dark."""
    found = []
    for scheme in ("light", "dark"):
        for width in WIDTHS:
            context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
            page = context.new_page()
            page.on("console", lambda message: found.append(f"console: {message.text}"))
            page.on("pageerror", lambda error: found.append(f"error: {error}"))
            page.on("request", lambda r: None if r.url.startswith(("file:", "data:")) else found.append(f"request: {r.url}"))
            page.goto(file.as_uri())
            for opened in (False, True):
                if opened:
                    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
                wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
                if wide > 0:
                    found.append(f"{scheme}, {width} pixels, {'opened' if opened else 'closed'}: {wide} pixels wider than the window")
                found += [f"{scheme}, {width} pixels: cut: {text}" for text in page.evaluate(CUT)]
                if kept and not opened:
                    page.screenshot(path=OUT / f"{name}-{scheme}-{width}.png", full_page=name not in ("folder", "many"))
            # Each colour scheme once, and each layout once: a folder's page takes axe-core minutes.
            if (scheme, width) in (("light", 360), ("dark", 1600)):
                for violation in Axe().run(page).response["violations"]:
                    nodes = violation["nodes"]
                    found.append(f"{scheme}, {width} pixels: axe: {violation['id']} ({len(nodes)}): {nodes[0]['html'][:100]}")
            context.close()
    if kept:
        context = browser.new_context()
        page = context.new_page()
        page.goto(file.as_uri())
        page.pdf(path=OUT / f"{name}.pdf", format="A4")
        context.close()
    return found


# Text that its own box hides: what neither wraps nor scrolls.
CUT = """() => [...document.querySelectorAll('body *')].filter(e => {
  const s = getComputedStyle(e);
  return s.overflowX === 'hidden' && e.clientWidth > 1 && e.scrollWidth > e.clientWidth + 1;
}).map(e => e.outerHTML.slice(0, 80))"""


def broken(browser):
    """The checks can fail: a page that is wrong in each way."""
    file = OUT / "broken.html"
    file.write_text('<html><body style="width:3000px"><img src="http://127.0.0.1:9/x"><p style="color:#ccc">pale</p>'
                    '<div style="overflow:hidden;width:50px;white-space:nowrap">a text that is cut off at the end</div>'
                    '<script>console.log("hello")</script></body></html>')
    found = "\n".join(look(browser, "broken", file, kept=False))
    for kind in ("console: hello", "request: http", "wider than", "cut: <div", "axe: color-contrast"):
        if kind not in found:
            say("broken", f"the check did not find '{kind}'")


def rendering(name, seconds, rate, most):
    """A recording of so long at such a rate, rendered: time, the most memory."""
    fault = delay("slow", f"{seconds // 2}s") | {"for": f"{seconds // 6}s"}
    file = scenario(f"render-{name}", f"For a {name}", {"rate": f"{rate}/s", "duration": f"{seconds}s"}, [fault],
                    [{"that": "it is only slower", "during": "slow", "availability": ">= 99%"}])
    recording = OUT / f"render-{name}.json"
    began = time.monotonic()
    chaos("run", "--world", "sim", file, "--json", recording)
    ran = time.monotonic() - began
    began = time.monotonic()
    child = subprocess.Popen([CHAOS, "report", recording, "--html", OUT / f"render-{name}.html"], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    took = time.monotonic() - began
    print(f"{name:8} {seconds:6} s at {rate}/s: run {ran:.1f} s, recording {recording.stat().st_size / 1e3:.0f} kB, rendered in {took:.2f} s "
          f"({usage.ru_utime + usage.ru_stime:.2f} s of processor), {usage.ru_maxrss / 1024:.0f} MiB, "
          f"page {(OUT / f'render-{name}.html').stat().st_size / 1e3:.0f} kB", flush=True)
    if status:
        say(name, f"chaos report: status {status}")
    if most and usage.ru_utime + usage.ru_stime > most:
        say(name, f"rendering took more than {most} s of processor time")


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        broken(browser)
        system = OUT / "system.toml"
        shutil.copy("scenarios/system.toml", system)
        for name, files, code in pages():
            if NAMED and name not in NAMED:
                continue
            file = OUT / f"{name}.html"
            chaos("run", "--world", "sim", *files, "--html", file, codes=(code,))
            size, began = file.stat().st_size, time.monotonic()
            found = look(browser, name, file)
            print(f"{name:12} {time.monotonic() - began:4.0f} s {size / 1e3:6.0f} kB: {len(found) or 'nothing'} wrong", flush=True)
            for what in found:
                say(name, what)
            # A usual run; a folder has one a scenario.
            if name != "folder" and name != "many" and size > 600_000:
                say(name, f"{size} bytes")
        browser.close()
    for name, seconds, rate, most in (("minute", 60, 100, 0.3), ("hour", 3600, 1000, 2.0), ("long-day", 86400, 1, None)):
        if not NAMED or name in NAMED:
            rendering(name, seconds, rate, most)
    print(f"{len(wrong)} wrong; pages and pictures are in {OUT}")
    sys.exit(1 if wrong else 0)


main()
