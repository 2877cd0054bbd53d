/// The style of the status page. Text and signs have a contrast of at least 4.5 to 1 in both colour schemes, and no
/// information is given by colour alone.
public enum StatusStyle {
  /// The style sheet.
  public static let css = """
    :root {
      color-scheme: light dark;
      --ground: #f4f6f8; --card: #ffffff; --line: #d5dbe1; --text: #1b2026; --muted: #57616c;
      --accent: #0a5cc2; --area: #0a5cc222; --good: #15703a; --bad: #b4232c; --open: #8a5a00;
      --good-ground: #e3f4e9; --bad-ground: #fdeaea; --open-ground: #fbf1d9;
      font: 15px/1.5 Inter, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
      font-variant-numeric: tabular-nums;
    }
    @media (prefers-color-scheme: dark) {
      :root {
        --ground: #0e1216; --card: #171c22; --line: #303841; --text: #e4e9ee; --muted: #9ba6b2;
        --accent: #6cb2ff; --area: #6cb2ff26; --good: #5fd08a; --bad: #ff8c8c; --open: #eabf5a;
        --good-ground: #12301f; --bad-ground: #3a1a1d; --open-ground: #352a10;
      }
    }
    * { box-sizing: border-box; }
    body { margin: 0 auto; padding: 1rem; max-width: 76rem; background: var(--ground); color: var(--text); }
    a { color: var(--accent); }
    :focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
    .hidden, .skip:not(:focus) { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
    header { display: flex; flex-wrap: wrap; gap: .25rem 2rem; align-items: end; justify-content: space-between; }
    h1 { margin: 0; font-size: 1.5rem; line-height: 1.2; }
    h2 { margin: 1.75rem 0 .75rem; font-size: 1.3rem; overflow-wrap: anywhere; }
    h3 { margin: 0 0 .5rem; font-size: 1rem; }
    p { margin: 0 0 .5rem; }
    header p, footer p, .muted { margin: 0; color: var(--muted); font-size: .9rem; }
    .card > .muted { margin-bottom: .25rem; }
    footer { margin-top: 1.5rem; }
    #live.on::before { content: ""; display: inline-block; width: .6em; height: .6em; margin-right: .35em;
      border-radius: 50%; background: var(--good); }
    #lost { margin: 1rem 0 0; padding: .6rem .9rem; border: 1px solid var(--bad); border-radius: 8px;
      background: var(--bad-ground); color: var(--bad); font-weight: 600; }
    body.stale main { opacity: .55; }
    code, pre { font: .87rem/1.45 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
    pre { margin: 0; padding: .6rem .75rem; border: 1px solid var(--line); border-radius: 8px;
      background: var(--ground); white-space: pre-wrap; overflow-wrap: anywhere; user-select: all; }
    .instance { display: grid; gap: .75rem; grid-template-columns: minmax(0, 25rem) minmax(0, 1fr);
      grid-template-rows: auto auto 1fr; }
    .instance > h2, .instance > :last-child { grid-column: 1 / -1; }
    .instance > h2 { margin-bottom: 0; }
    .decision { grid-column: 2; grid-row: 2 / 4; display: grid; gap: .75rem; align-content: start; }
    .card { margin: 0; padding: .9rem 1rem; border: 1px solid var(--line); border-radius: 10px;
      background: var(--card); }
    .card > :last-child { margin-bottom: 0; }
    .overview { margin: 1rem 0 0; padding: 0; list-style: none; }
    .overview li { display: flex; flex-wrap: wrap; gap: .25rem .9rem; align-items: baseline; padding: .4rem .25rem;
      border-bottom: 1px solid var(--line); }
    .overview span:not(.badge) { color: var(--muted); flex: 1; }
    .badge { padding: 0 .6em; border: 1px solid; border-radius: 99px; font-size: .85rem; font-weight: 600; }
    .yes { color: var(--good); background: var(--good-ground); }
    .not_yet { color: var(--bad); background: var(--bad-ground); }
    .unknown.badge, .unknown.answer { color: var(--open); background: var(--open-ground); }
    .answer { display: flex; gap: .9rem; align-items: center; padding: .6rem .9rem; border-radius: 8px; }
    .answer strong { font-size: 1.35rem; line-height: 1.2; white-space: nowrap; }
    .answer span { color: var(--text); }

    .steps { display: grid; grid-template-columns: repeat(4, 1fr); gap: 4px; margin: 0 0 .5rem; padding: 0;
      list-style: none; color: var(--muted); font-size: .76rem; line-height: 1.25; text-align: center; }
    .steps li { padding-top: .4rem; border-top: 4px solid var(--line); }
    .steps .done { border-color: var(--good); }
    .steps [aria-current] { border-color: var(--accent); color: var(--text); font-weight: 700; }
    .picture { display: block; width: 100%; max-width: 24rem; margin: .5rem auto; font-size: 13px; }
    .picture text { fill: var(--text); }
    .picture .label { stroke: var(--card); stroke-width: 4px; paint-order: stroke; fill: var(--accent);
      font-weight: 600; font-size: 12.5px; }
    .picture .detail { fill: var(--muted); font-size: 12px; text-anchor: middle; }
    .picture .name { font-weight: 600; text-anchor: middle; }
    .picture .box { fill: var(--ground); stroke: var(--line); stroke-width: 1.5; }
    .picture .sidecar { stroke: var(--accent); }
    .picture .default .box { stroke: var(--accent); stroke-width: 2.5; }
    .picture .unused .box { stroke-dasharray: 5 4; fill: none; }
    .picture .unused .name { fill: var(--muted); }
    .picture .down .box { stroke: var(--bad); fill: var(--bad-ground); }
    .picture .down .detail { fill: var(--bad); }
    .picture .arrow { fill: none; stroke: var(--accent); stroke-width: 2; }
    .picture .head { fill: var(--accent); }
    .flags { margin: .5rem 0 0; font-size: .8rem; }
    .flags div { display: flex; gap: .5rem; justify-content: space-between; border-top: 1px solid var(--line);
      padding: .2rem 0; }
    .flags dt { overflow-wrap: anywhere; color: var(--muted); }
    .flags dd { margin: 0; font-weight: 600; }

    table { width: 100%; border-collapse: collapse; margin: 0 0 .6rem; font-size: .9rem; }
    th, td { padding: .35rem .5rem; text-align: left; vertical-align: top; overflow-wrap: anywhere;
      border-bottom: 1px solid var(--line); }
    thead th { color: var(--muted); font-weight: 600; font-size: .82rem; }
    tbody th { font-weight: 600; }
    tbody tr:last-child > * { border-bottom: 0; }
    .stores tbody th { width: 38%; font-weight: 400; color: var(--muted); }
    .stores small { padding: 0 .5em; border: 1px solid; border-radius: 99px; color: var(--accent); }
    .health { font-weight: 600; color: var(--good); }
    .health.bad { color: var(--bad); }
    .criteria td:first-child { white-space: nowrap; width: 6.2rem; }
    .criteria tbody th { width: 21%; }
    .criteria .wanted { width: 28%; color: var(--muted); }
    .result { font-weight: 600; }
    .result::before { display: inline-block; width: 1.25em; }
    .met .result { color: var(--good); }
    .met .result::before { content: "\\2713" / ""; }
    .not_met .result { color: var(--bad); }
    .not_met .result::before { content: "\\2715" / ""; }
    tr.unknown .result { color: var(--open); }
    tr.unknown .result::before { content: "?" / ""; }
    .advice { display: block; color: var(--muted); }
    .advice::before { content: "\\2192\\00a0" / ""; }

    .curves { display: grid; gap: .75rem; align-content: start; }
    .curves figcaption { display: flex; flex-wrap: wrap; gap: 0 .75rem; align-items: baseline; }
    .curves figcaption span { font-size: .9rem; }
    .sparkline { display: block; width: 100%; height: 56px; margin: .4rem 0 .2rem; }
    .sparkline path { vector-effect: non-scaling-stroke; }
    .sparkline .ground { stroke: var(--line); fill: none; }
    .sparkline .area { fill: var(--area); }
    .sparkline .line { fill: none; stroke: var(--accent); stroke-width: 2; stroke-linejoin: round; }
    .scale { display: flex; justify-content: space-between; margin: 0; color: var(--muted); font-size: .78rem; }
    .hazards { margin: 0; }
    .hazards div { padding: .4rem 0; border-top: 1px solid var(--line); }
    .hazards dt span { color: var(--muted); }
    .hazards dd { margin: 0; font-size: .9rem; }

    @media (max-width: 60rem) {
      .instance { display: block; }
      .instance > * { margin-bottom: .75rem; }
    }
    @media (max-width: 36rem) {
      body { padding: .75rem .5rem; }
      .card { padding: .75rem; }
      .answer { flex-direction: column; align-items: start; gap: .2rem; }
      .criteria thead { position: absolute; clip-path: inset(50%); height: 1px; overflow: hidden; }
      .criteria tr { display: grid; grid-template-columns: auto 1fr; padding: .4rem 0;
        border-bottom: 1px solid var(--line); }
      .criteria tr:last-child { border-bottom: 0; }
      .criteria th, .criteria td, .criteria tbody th, .criteria .wanted { width: auto; padding: .05rem .4rem;
        border: 0; }
      .criteria td:nth-child(n + 3) { grid-column: 1 / -1; }
      .criteria .wanted::before { content: "wanted: "; }
      .stores th, .stores td { padding: .3rem .25rem; }
    }
    @media (prefers-reduced-motion: no-preference) {
      body main { transition: opacity .3s; }
    }
    @media print {
      .live, .skip { display: none; }
      .card { break-inside: avoid; }
    }

    """

  /// The icon, in SVG: two stores and an arrow, in a colour that is visible on light and on dark tabs.
  public static let icon = """
    <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16" fill="none" stroke="#3b8df0" stroke-width="1.6">
    <rect x="1" y="5" width="5" height="6" rx="1"/><rect x="10" y="5" width="5" height="6" rx="1" fill="#3b8df0"/>
    <path d="M3 3C6 0 10 0 12 3M12 3V.6M12 3H9.6"/></svg>

    """
}
