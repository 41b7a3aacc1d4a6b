#include "runtime/report/style.hpp"

namespace gnomon::report {

const std::string_view style = R"(
:root{color-scheme:light dark;--paper:#fdfdfb;--ink:#1c1c1a;--soft:#5b5b56;--rule:#d9d8d2;--land:#e9e7df;--flow:#0072b2;
--c0:#0072b2;--c1:#b34700;--c2:#00735a;--c3:#a1487c;--c4:#8a6d00;--c5:#2c7fa8;--c6:#444;--c7:#1c1c1a}
@media(prefers-color-scheme:dark){:root{--paper:#161714;--ink:#ecebe5;--soft:#a9a89f;--rule:#3a3b36;--land:#2a2b27;
--flow:#56b4e9;--c0:#56b4e9;--c1:#ff9955;--c2:#2fc79f;--c3:#e39ac3;--c4:#f0e442;--c5:#9ad0ee;--c6:#bbb;--c7:#ecebe5}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{max-width:1500px;margin:0 auto;padding:16px}
h1{font-size:1.6rem;line-height:1.2;margin:.4em 0;overflow-wrap:anywhere}
h2{font-size:1.15rem;margin:1.2em 0 .2em}
p,li{max-width:46em;margin:.3em 0;color:var(--soft);overflow-wrap:anywhere}
section{min-width:0}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,620px),1fr));gap:8px 40px}
svg{display:block;width:100%;height:auto;max-width:760px;
font:12px system-ui,sans-serif;fill:var(--ink)}
.narrow{display:none}
@media(max-width:640px){.wide{display:none}.narrow{display:block}}
.grid{stroke:var(--rule);fill:none;stroke-width:1}
.axisline{stroke:var(--soft);fill:none}
.tick,.axis{fill:var(--soft)}
.name{paint-order:stroke;stroke:var(--paper);stroke-width:3px;stroke-linejoin:round}
.strong{font-weight:700}
.land{fill:var(--land);stroke:none}
.flow{fill:none;stroke:var(--flow);stroke-opacity:.75;stroke-linecap:round}
.tip{fill:var(--flow)}
.region{fill:var(--ink);stroke:var(--paper)}
.disc{fill:var(--paper);stroke:var(--flow);stroke-width:1.5}
.line{fill:none;stroke-width:1.6;stroke-linejoin:round}
.line.strong{stroke-width:3}
.mark{stroke:var(--paper);stroke-width:1}
.mark.s0{fill:var(--c0)}.mark.s1{fill:var(--c1)}.mark.s2{fill:var(--c2)}.mark.s3{fill:var(--c3)}
.mark.s4{fill:var(--c4)}.mark.s5{fill:var(--c5)}.mark.s6{fill:var(--c6)}.mark.s7{fill:var(--c7)}
.line.s0{stroke:var(--c0)}.line.s1{stroke:var(--c1);stroke-dasharray:7 3}
.line.s2{stroke:var(--c2);stroke-dasharray:2 3}
.line.s3{stroke:var(--c3);stroke-dasharray:9 3 2 3}.line.s4{stroke:var(--c4);stroke-dasharray:4 4}
.line.s5{stroke:var(--c5);stroke-dasharray:12 4}.line.s6{stroke:var(--c6);stroke-dasharray:1 4}
.line.s7{stroke:var(--c7);stroke-dasharray:5 3}.line.strong{stroke-dasharray:none}
.line.bound{stroke:var(--ink);stroke-dasharray:5 3}
.scroll{overflow-x:auto}
table{border-collapse:collapse;font-size:.875rem;font-variant-numeric:tabular-nums;margin:.6em 0}
caption{text-align:left;color:var(--soft);padding:.2em 0}
th,td{padding:.25em .7em;border-bottom:1px solid var(--rule);text-align:right;white-space:nowrap}
th:first-child{text-align:left;font-weight:400;padding-left:0}
tbody th{max-width:24em;white-space:normal;overflow-wrap:anywhere;min-width:7em}
thead th{color:var(--soft);font-weight:400;vertical-align:bottom}
.bar{display:inline-block;height:.7em;background:var(--flow);min-width:1px;vertical-align:baseline}
details{margin:.4em 0}
@media print{.narrow{display:none}.wide{display:block}}
)";

const std::string_view markers =
    R"(<svg width="0" height="0" aria-hidden="true" style="position:absolute"><defs>
<marker id="tip" viewBox="0 0 8 8" refX="13" refY="4" markerWidth="9" markerHeight="9" markerUnits="userSpaceOnUse"
orient="auto"><path class="tip" d="M0 0L8 4L0 8Z"/></marker></defs></svg>)";

} // namespace gnomon::report
