/** Light and dark, on a screen and on paper. No picture, no font and no script is loaded. */
export const style = `
:root {
  color-scheme: light dark;
  --paper: #fff; --ink: #1c2330; --faint: #5b6577; --rule: #d9dee7; --card: #f6f8fb; --bar: #3b6fb6; --heat: 40 84 156;
  --good: #17693a; --bad: #a3211d; --mark: #fff2c9;
  --c0: #2f6bbd; --c1: #c5461a; --c2: #1f7a4d; --c3: #8a3fb0; --c4: #9a6b00; --c5: #0b7c8c; --c6: #b3266e; --c7: #5c6b1f; --c8: #4a4fb5; --c9: #6b6b6b;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --paper: #12161d; --ink: #e6eaf1; --faint: #9fabbd; --rule: #313a48; --card: #1a202a; --bar: #6ea3ea; --heat: 110 163 234;
    --good: #6fd59b; --bad: #ff9389; --mark: #43391a;
    --c0: #7db1f5; --c1: #ff9a6b; --c2: #6fd59b; --c3: #d29bf0; --c4: #e0b64f; --c5: #5fcfe0; --c6: #f58cbf; --c7: #bccb73; --c8: #a5a9ff; --c9: #b4b4b4;
  }
}
* { box-sizing: border-box }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif }
main { max-width: 76rem; margin: 0 auto; padding: 1.5rem 1rem 4rem }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .5rem; overflow-wrap: anywhere }
h2 { font-size: 1.25rem; margin: 2.5rem 0 .5rem; padding-bottom: .25rem; border-bottom: 1px solid var(--rule) }
h3 { font-size: 1rem; margin: 1.25rem 0 .5rem; overflow-wrap: anywhere }
p { margin: .5rem 0; max-width: 48rem; overflow-wrap: anywhere }
.note, .missing, footer { color: var(--faint); font-size: .875rem }
.missing { border-left: 3px solid var(--rule); padding-left: .75rem }
.warning { border-left: 3px solid var(--bad); padding-left: .75rem; color: var(--bad) }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 21rem), 1fr)); gap: 1rem; align-items: start }
.sections { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 30rem), 1fr)); gap: 0 2.5rem; align-items: start }
.sections > section { min-width: 0; break-inside: avoid }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 28rem), 1fr)); gap: 1rem 2rem; align-items: start }
.pair > div { min-width: 0 }
.card { margin: 0; padding: .75rem; background: var(--card); border: 1px solid var(--rule); border-radius: .5rem; min-width: 0; break-inside: avoid }
figcaption { font-weight: 600; overflow-wrap: anywhere; margin-bottom: .25rem }
.scroll { overflow-x: auto }
table { border-collapse: collapse; font-size: .9375rem }
th, td { padding: .3rem .6rem; text-align: left; vertical-align: top; font-weight: normal }
thead th { font-weight: 600; color: var(--faint); font-size: .8125rem }
tbody tr { border-top: 1px solid var(--rule); break-inside: avoid }
.numbers td, .numbers thead th + th { text-align: right; font-variant-numeric: tabular-nums }
.numbers td { white-space: nowrap }
.facts { width: 100% }
.facts th[scope=row] { color: var(--faint); width: 11rem; overflow-wrap: anywhere }
.facts td { overflow-wrap: anywhere; min-width: 9rem }
.differs { background: var(--mark) }
.mark { font-size: .75rem; font-style: italic }
.better { color: var(--good) }
.worse { color: var(--bad) }
.heat td[class] { text-align: right; min-width: 3.5rem; font-variant-numeric: tabular-nums; border: 2px solid var(--paper) }
.heat tbody tr { border: 0 }
.heat thead th { text-align: right; max-width: 9rem; overflow-wrap: anywhere }
.heat thead th[colspan] { text-align: center }
.heat tbody th, .heat thead th:first-child { text-align: left }
.heat .right { outline: 1px solid var(--ink); outline-offset: -3px }
${Array.from({ length: 10 }, (_, i) => `.heat .h${i} { background: rgb(var(--heat) / ${i * 9}%)${i >= 6 ? '; color: var(--paper)' : ''} }`).join('\n')}
.bars { width: 100%; table-layout: fixed }
.bars th[scope=row] { overflow-wrap: anywhere }
.bars th:first-child { width: 34% }
.bars thead th:last-child, .bars td:last-child { width: 10.5rem; text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
.card .bars thead th:last-child, .card .bars td:last-child { width: 5rem }
.bars svg { display: block; width: 100%; height: 1rem; margin-top: .25rem }
.plot { display: block; width: 100%; max-width: 30rem; height: auto }
.plot text { font-size: 11px; fill: var(--faint) }
.plot .axis { font-size: 12px; fill: var(--ink) }
.grid { stroke: var(--rule); stroke-width: 1; fill: none }
.diagonal { stroke: var(--faint); stroke-width: 1; stroke-dasharray: 4 4; fill: none }
.line { fill: none; stroke-width: 2; stroke-linejoin: round }
.line.c1, .line.c4, .line.c7 { stroke-dasharray: 8 4 }
.line.c2, .line.c5, .line.c8 { stroke-dasharray: 2 3 }
.dot { stroke: none }
.bar { fill: var(--bar) }
${Array.from({ length: 10 }, (_, i) => `.line.c${i} { stroke: var(--c${i}) } .dot.c${i} { fill: var(--c${i}) }`).join('\n')}
.legend { list-style: none; margin: .25rem 0 0; padding: 0; font-size: .875rem; display: flex; flex-wrap: wrap; gap: .1rem 1rem }
.legend li { overflow-wrap: anywhere; min-width: 0 }
.legend svg { width: 20px; height: 10px; margin-right: .4rem }
summary { cursor: pointer; font-size: .875rem; color: var(--faint) }
footer { margin-top: 3rem }
@page { margin: 15mm }
@media print {
  :root { color-scheme: light; --ink: #000; --faint: #444; --rule: #bbb; --card: #fff; font-size: 10pt }
  body { font-size: 1rem }
  main { max-width: none; padding: 0 }
  .scroll { overflow: visible }
  .pair, .cards { grid-template-columns: 1fr 1fr }
  .pair .cards { grid-template-columns: 1fr }
  h1, h2, h3, figcaption, summary { break-after: avoid }
  .legend, .note { break-before: avoid }
  section, .numbers, .heat, .bars { break-inside: avoid }
  .pair .bars th:first-child { width: 40% }
  h2 { margin-top: 1.5rem }
  footer { margin-top: 1rem; break-before: avoid }
  .heat td, .bar, .differs { print-color-adjust: exact }
  summary { list-style: none }
  details::details-content { display: block; content-visibility: visible }
}
`
