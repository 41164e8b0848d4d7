// The style sheet of the report.
#pragma once

namespace tuner {

inline constexpr const char* kReportStyle = R"(
:root { color-scheme: light; --ink: #16202c; --soft: #5b6878; --line: #e3e8ee; --accent: #1f5fd6; }
* { box-sizing: border-box; }
body { margin: 0; background: #f5f7fa; color: var(--ink);
       font: 15px/1.55 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
main { max-width: 1060px; margin: 0 auto; padding: 36px 24px 60px; }
h1 { font-size: 27px; margin: 0 0 2px; letter-spacing: -.01em; }
h2 { font-size: 18px; margin: 0 0 2px; }
.sub { color: var(--soft); margin: 0 0 22px; }
section { background: #fff; border: 1px solid var(--line); border-radius: 12px;
          padding: 20px 24px 16px; margin: 0 0 18px; box-shadow: 0 1px 2px rgba(20, 32, 50, .04); }
section > p { color: var(--soft); margin: 0 0 10px; }
.advice { border-left: 5px solid var(--accent); }
.advice strong { display: block; font-size: 19px; line-height: 1.4; margin: 4px 0 8px; }
.advice ul { margin: 0 0 6px; padding-left: 20px; color: #3a4757; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(170px, 1fr)); gap: 14px;
         margin: 0 0 18px; }
.tile { background: #fff; border: 1px solid var(--line); border-radius: 12px; padding: 13px 18px; }
.tile b { display: block; font-size: 25px; font-weight: 650; letter-spacing: -.01em; }
.tile span { color: var(--soft); font-size: 13px; }
svg { width: 100%; height: auto; display: block; }
.grid { stroke: #edf0f4; stroke-width: 1; }
.tick { fill: #6c7989; font-size: 12px; }
.axis { fill: #3a4757; font-size: 13px; }
.limit { stroke: #c62838; stroke-width: 1.5; stroke-dasharray: 6 5; fill: none; }
text.limit { stroke: none; fill: #c62838; font-size: 12px; }
.fair { stroke: #16202c; stroke-width: 1.5; stroke-dasharray: 5 4; }
.line { fill: none; stroke-width: 2.2; stroke-linejoin: round; }
.mark { stroke: #fff; stroke-width: 1.2; }
.mark.strong { stroke: #16202c; stroke-width: 2; }
.cell { fill: #1f5fd6; }
.band { fill-opacity: .82; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; color: #3a4757; font-size: 13px;
          margin: 6px 0 2px; }
.swatch { display: inline-block; width: 11px; height: 11px; border-radius: 6px; margin-right: 6px; }
.swatch.strong { border: 2px solid #16202c; }
.line.c0 { stroke: #1f5fd6; } .mark.c0, .band.c0 { fill: #1f5fd6; } .swatch.c0 { background: #1f5fd6; }
.line.c1 { stroke: #e07a10; } .mark.c1, .band.c1 { fill: #e07a10; } .swatch.c1 { background: #e07a10; }
.line.c2 { stroke: #1d9a6c; } .mark.c2, .band.c2 { fill: #1d9a6c; } .swatch.c2 { background: #1d9a6c; }
.line.c3 { stroke: #b43a8f; } .mark.c3, .band.c3 { fill: #b43a8f; } .swatch.c3 { background: #b43a8f; }
.line.c4 { stroke: #6b55c9; } .mark.c4, .band.c4 { fill: #6b55c9; } .swatch.c4 { background: #6b55c9; }
.line.c5 { stroke: #128a9c; } .mark.c5, .band.c5 { fill: #128a9c; } .swatch.c5 { background: #128a9c; }
.line.c6 { stroke: #8a6d1a; } .mark.c6, .band.c6 { fill: #8a6d1a; } .swatch.c6 { background: #8a6d1a; }
.line.c7 { stroke: #7a8594; } .mark.c7, .band.c7 { fill: #7a8594; } .swatch.c7 { background: #7a8594; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: 14px; }
th { text-align: right; color: var(--soft); font-weight: 500; border-bottom: 1px solid var(--line); }
td { text-align: right; border-bottom: 1px solid #f0f3f6; }
th, td { padding: 5px 8px; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
tr.best td { background: #eef4ff; font-weight: 600; }
details summary { cursor: pointer; color: var(--accent); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 18px; margin: 0; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
@media print { body { background: #fff; } section, .tile { break-inside: avoid; box-shadow: none; } }
)";

}  // namespace tuner
