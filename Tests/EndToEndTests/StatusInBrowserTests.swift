import TestSupport
import Testing

@Suite("Status page in a real browser")
struct StatusInBrowserTests {
  @Test func `it says whose page it is, complains about nothing, and names everything for a screen reader`() throws {
    let deployment = try Deployment(.dual)
    let page = try deployment.statusPage()
    #expect(try page.evaluate("document.querySelector('h1').textContent") == .string("Migration status"))
    #expect(try page.text(of: ".live").hasPrefix("Live. As of 20"))
    let nodes = try page.accessibilityTree()
    func names(_ role: String) -> [String] { nodes.filter { $0.role == role }.map(\.name) }
    #expect(
      names("heading").prefix(3) == ["Migration status", "sessions", "Dual writes, the old store is the default"]
    )
    #expect(names("heading").contains("Safe to take the next step?") && names("heading").contains("Stores"))
    // The picture of the state, and three curves.
    #expect(names("image").count == 4 && names("image").first == "Where commands go")
    #expect(names("image").contains { $0.hasPrefix("Fallback reads") })
    for role in ["heading", "image", "link", "table", "region", "list"] {
      #expect(!names(role).isEmpty && names(role).allSatisfy { !$0.isEmpty }, "\(role): \(names(role))")
    }
    for role in ["banner", "main", "contentinfo"] { #expect(names(role).count == 1, "\(role)") }
    #expect(names("columnheader").contains("Criterion") && names("rowheader").contains("Stores up"))
    #expect(try page.evaluate("document.documentElement.lang") == .string("en"))
    #expect(try page.complaints() == [])
  }

  @Test func `a flip and traffic show without a reload, and the reader's place stays`() throws {
    let deployment = try Deployment()
    let page = try deployment.statusPage()
    #expect(try page.text(of: ".steps [aria-current]") == "Observe")
    // Gone with a reload.
    _ = try page.evaluate("window.opened = 1; document.querySelector('pre').focus(); window.scrollTo(0, 40)")
    try deployment.move(to: .dual)
    try deployment.secondary.client().command("SET", "old", "v")
    let client = try deployment.client()
    for _ in 0..<10 { try client.command("GET", "old") }
    try eventually("the new state shows") { try page.text(of: ".steps [aria-current]") == "Dual writes" }
    try eventually("the fallback reads show") {
      try page.text(of: ".curves figure").contains("100 %: 10 of 10 reads of the new store")
    }
    #expect(try page.text(of: "pre").hasSuffix("use_primary_store_as_default_for_sessions true"))
    try deployment.move(to: .dualPrimary)
    try eventually("the next state shows") { try page.text(of: ".steps [aria-current]") == "New default" }
    // A curve has its first point after a quarter of a minute.
    try eventually("the curves grow", within: .seconds(90)) {
      try page.evaluate("document.querySelectorAll('.sparkline .line').length").number ?? 0 >= 2
    }
    #expect(try page.evaluate("window.opened") == .number(1))
    #expect(try page.evaluate("document.activeElement.tagName + window.scrollY") == .string("PRE40"))
    #expect(try page.complaints() == [])
  }

  @Test func `it says when the sidecar is gone, and goes on when there is one again`() throws {
    // One that no connection of another process gets when the first sidecar is gone.
    let address = SocketAddress.port(try freePort())
    let deployment = try Deployment(arguments: ["--web.listen-address=\(address)"])
    let page = try deployment.statusPage()
    #expect(try page.evaluate("document.getElementById('lost').hidden") == .bool(true))
    try deployment.finish()
    try eventually("it is told") { try page.text(of: "#lost").hasPrefix("Connection lost: what is shown is from ") }
    #expect(try page.accessibilityTree().contains { $0.role == "alert" })
    let directory = try TemporaryDirectory()
    let configuration = Deployment.configuration(
      in: directory,
      primary: nil,
      secondary: deployment.secondary.url,
      flagFile: false
    )
    let next = try SidecarProcess(
      configuration: configuration,
      in: directory,
      arguments: ["--web.listen-address=\(address)"]
    )
    try eventually("the new one shows") { try page.text(of: "main").contains("One store, no migration") }
    #expect(try page.evaluate("document.getElementById('lost').hidden") == .bool(true))
    #expect(next.process.isRunning)
  }

  @Test(arguments: [ChromiumPage.ColorScheme.light, .dark])
  func `it can be read in either scheme, at every width, without colours`(_ scheme: ChromiumPage.ColorScheme) throws {
    let deployment = try Deployment(.dual)
    try deployment.client().command("TIME")
    try eventually("the hazard is counted") { try deployment.status()["hazards"]?.elements?.isEmpty == false }
    let page = try deployment.statusPage()
    try page.prefer(scheme)
    let ground = try page.evaluate("getComputedStyle(document.body).backgroundColor").string
    #expect(ground == (scheme == .dark ? "rgb(14, 18, 22)" : "rgb(244, 246, 248)"))
    for width in [1280, 800, 360] {
      try page.resize(width: width, height: 800)
      let scrolls = "document.documentElement.scrollWidth > innerWidth"
      #expect(try page.evaluate(scrolls) == .bool(false), "at \(width) pixels")
      let outside = "[...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > innerWidth)"
      #expect(try page.evaluate("\(outside).map(e => e.tagName).join()") == .string(""), "at \(width) pixels")
      #expect(try page.evaluate(Self.faintTexts) == .string(""), "at \(width) pixels")
    }
    // What a colour says is also said in words.
    let results = try page.evaluate("[...document.querySelectorAll('.result')].map(e => e.textContent).join()").string
    #expect(results?.split(separator: ",").allSatisfy { ["Met", "Not met", "Unknown"].contains($0) } == true)
    #expect(try page.complaints() == [])
  }

  @Test func `it is whole without JavaScript, and can be used from the keyboard`() throws {
    let deployment = try Deployment(.dual)
    let page = try deployment.statusPage { try $0.runsScripts(false) }
    #expect(try page.text(of: ".live").hasPrefix("Reload for newer figures."))
    #expect(try page.text(of: ".answer strong") == "Unknown" || page.text(of: ".answer strong") == "Not yet")
    let focus = "document.activeElement.getAttribute('href') ?? document.activeElement.tagName"
    try page.pressTab()
    #expect(try page.evaluate(focus) == .string("#instances"))
    try page.pressTab()
    #expect(try page.evaluate(focus) == .string("PRE"))
    #expect(
      try page.evaluate("document.activeElement.getAttribute('aria-label')") == .string("Command for the next step")
    )
    #expect(try page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == .string("solid"))
  }

  /// The texts whose colour has a contrast of less than 4.5 to 1 with the colour behind them (WCAG 2.1, 1.4.3).
  private static let faintTexts = """
    (() => {
      const parse = (color) => (color.match(/[\\d.]+/g) ?? []).map(Number);
      const light = (color) => parse(color).slice(0, 3).map((c) => c / 255)
        .map((c) => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
      const behind = (element) => {
        const color = getComputedStyle(element).backgroundColor, alpha = parse(color)[3] ?? 1;
        return alpha > 0 || !element.parentElement ? color : behind(element.parentElement);
      };
      const hasText = (e) => [...e.childNodes].some((n) => n.nodeType === Node.TEXT_NODE && n.data.trim());
      return [...document.body.querySelectorAll('*')].filter((e) => !e.closest('svg, .hidden, [hidden]') && hasText(e))
        .filter((e) => {
          const [a, b] = [light(getComputedStyle(e).color), light(behind(e))];
          return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) < 4.5;
        }).map((e) => e.className + ' ' + e.textContent).join('; ');
    })()
    """
}

extension Deployment {
  /// The status page in a browser of its own.
  ///
  /// - Parameter prepare: what is to be done before it is opened.
  func statusPage(_ prepare: (ChromiumPage) throws -> Void = { _ in }) throws -> ChromiumPage {
    let page = try Chromium().page()
    try prepare(page)
    try page.open("http://\(sidecar.address(of: "metrics"))/status")
    return page
  }
}

extension ChromiumPage {
  /// The text of the first element that a selector finds, as it is shown; empty without one.
  func text(of selector: String) throws -> String {
    try evaluate("document.querySelector(\"\(selector)\")?.innerText ?? ''").string ?? ""
  }

  /// Goes on to the next thing that the keyboard can reach.
  func pressTab() throws {
    for type in ["rawKeyDown", "keyUp"] {
      let tab: [String: JSONValue] = [
        "key": .string("Tab"), "code": .string("Tab"), "windowsVirtualKeyCode": .number(9),
      ]
      try send("Input.dispatchKeyEvent", tab.merging(["type": .string(type)]) { $1 })
    }
  }
}
