/** Of /docs: one column to read, the contents beside it where there is room, dark where the system is. */
export const docsStyle = `
:root { color-scheme: light dark; --text: #1c1f23; --soft: #5c6670; --line: #dde2e7; --page: #fff; --panel: #f5f7f9; --link: #0b5cad; --good: #1a7f37; --bad: #a8480b; }
@media (prefers-color-scheme: dark) { :root { --text: #e4e8ec; --soft: #9aa5b0; --line: #30373f; --page: #14171a; --panel: #1d2126; --link: #7ab8f5; --good: #5fc27e; --bad: #e9a06a; } }
* { box-sizing: border-box; }
html { scroll-behavior: smooth; scroll-padding-top: 1rem; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.6 system-ui, sans-serif; display: grid; grid-template-columns: minmax(0, 17rem) minmax(0, 1fr); }
nav { position: sticky; top: 0; height: 100vh; overflow-y: auto; padding: 1.5rem 1rem 2rem 1.5rem; border-right: 1px solid var(--line); font-size: .875rem; line-height: 1.45; }
nav ul { list-style: none; margin: 0; padding: 0; }
nav > ul > li { margin: 1rem 0 0; font-weight: 600; text-transform: capitalize; }
nav ul ul li { margin: .3rem 0 0; font-weight: 400; text-transform: none; }
nav a { color: inherit; text-decoration: none; }
nav ul ul a { color: var(--soft); }
nav a:hover { color: var(--link); }
.brand { margin: 0; font-size: 1.125rem; font-weight: 700; }
main { max-width: 52rem; width: 100%; padding: 2rem clamp(1rem, 4vw, 3.5rem) 6rem; }
h1 { font-size: 2rem; line-height: 1.2; margin: 0 0 1.25rem; letter-spacing: -.01em; }
h1 small { display: block; font-size: 1rem; font-weight: 400; color: var(--soft); letter-spacing: 0; }
h2 { font-size: 1.5rem; margin: 3rem 0 .5rem; text-transform: capitalize; }
h2#begin { text-transform: none; font-size: 1.125rem; margin-top: 1.5rem; }
h3 { font-size: 1.1875rem; margin: 0; }
h3 a { color: inherit; text-decoration: none; }
h4 { margin: 1.25rem 0 .25rem; font-size: .8125rem; text-transform: uppercase; letter-spacing: .06em; color: var(--soft); }
p { margin: .5rem 0; }
a { color: var(--link); }
article { margin-top: 2.25rem; padding-top: 1.5rem; border-top: 1px solid var(--line); }
code, pre { font: .875em/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
code { overflow-wrap: anywhere; }
pre { background: var(--panel); border: 1px solid var(--line); border-radius: 6px; padding: .75rem 1rem; overflow-x: auto; margin: .75rem 0; font-size: .8125rem; }
pre code { font-size: inherit; overflow-wrap: normal; }
:not(pre) > code { background: var(--panel); border-radius: 4px; padding: .1em .3em; }
.route { margin: .25rem 0 .75rem; }
.route code { background: none; padding: 0; font-size: .9375rem; }
.method { font: 700 .75rem ui-monospace, Menlo, Consolas, monospace; border: 1px solid currentcolor; border-radius: 4px; padding: .1rem .4rem; }
.get { color: var(--link); } .post, .put { color: var(--good); } .delete { color: var(--bad); }
.fields { list-style: none; margin: .25rem 0; padding: 0 0 0 .75rem; border-left: 2px solid var(--line); }
.fields li { margin: .35rem 0; }
.fields .fields { margin-left: .5rem; }
.name { font-weight: 600; }
.type, .or { color: var(--soft); font-size: .875rem; }
.optional { color: var(--soft); font-size: .75rem; font-style: italic; }
summary { cursor: pointer; }
summary p { display: inline; }
.answer { margin: .35rem 0; }
.answer > .media { margin-left: 1.1rem; }
.media > p { margin: .25rem 0; font-size: .875rem; color: var(--soft); }
.status { font: 700 .8125rem ui-monospace, Menlo, Consolas, monospace; }
.good { color: var(--good); } .bad { color: var(--bad); }
.shape { margin: .75rem 0; }
.shape > summary { font-weight: 600; }
:target > h3, .shape:target > summary { background: var(--panel); box-shadow: -.5rem 0 0 var(--panel), .5rem 0 0 var(--panel); }
@media (max-width: 55rem) { body { display: block; } nav { position: static; height: auto; max-height: 40vh; border-right: 0; border-bottom: 1px solid var(--line); } }
@media print { nav { display: none; } body { display: block; } }
`;
