#!/usr/bin/env bash
# The pictures of README.md and README.zh-CN.md: the demo in the terminal, and as a page. Run by `make screenshots`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
mkdir -p docs/images build/demo

{
    echo '<!doctype html><meta charset="utf-8"><body style="background:#1e1e1e;color:#e6e6e6;margin:24px">'
    echo '<pre style="font:15px/1.5 Noto Sans Mono CJK SC,monospace;white-space:pre">'
    echo '<b>$ landrules check facts/samples/wuhai-supply-plan.xlsx --on 2023-06-01</b>'
    { .venv/bin/landrules check facts/samples/wuhai-supply-plan.xlsx --on 2023-06-01 || true; } | head -64 |
        sed 's/&/\&amp;/g; s/</\&lt;/g'
    echo '…</pre>'
} >build/demo/console.html
.ci/screenshot build/demo/console.html docs/images/console.png 1000,1560
.ci/screenshot build/demo/report.html docs/images/report.png 1200,1500
