import Testing

@testable import Status

@Suite("Status page")
struct StatusPageTests {
  private func page(_ report: StatusReport = .example) -> String { StatusPage(report: report).html.markup }

  @Test func `what comes from outside is text, wherever it stands`() {
    let attack = "\"><script>alert(1)</script><img src=x onerror='alert(2)'>&amp;"
    let page = page(.hostile(attack))
    #expect(!page.contains("<script>") && !page.contains("<img"))
    #expect(!page.contains("onerror='"))
    // Each of them is there, as text: version, name, flag, hazard, stores and criteria.
    #expect(page.matches(of: /&lt;script&gt;alert\(1\)&lt;\/script&gt;/).count > 10)
    #expect(page.contains("&amp;amp;"))
    #expect(Self.openTags(of: page) == Self.openTags(of: self.page()))
  }

  @Test func `every tag is closed where it was opened`() {
    #expect(Self.openTags(of: page()) == [])
    var one = StatusReport.example
    one.instances.removeLast()
    one.instances[0].hazards = []
    #expect(Self.openTags(of: page(one)) == [])
  }

  @Test func `it is readable without JavaScript`() {
    let page = page()
    #expect(page.contains("<title>sessions: not yet") || page.contains("<title>Migration status</title>"))
    #expect(page.contains("<strong>Not yet</strong>"))
    #expect(page.contains("Of 3 criteria 1 not met, 1 not known yet."))
    #expect(
      page.contains("<code>multistore-exporter feature set use_primary_store_as_default_for_sessions true</code>")
    )
    #expect(page.contains("0.05 %: 6 of 12,000 reads of the new store"))
    #expect(page.contains("up for 2 h 5 min"))
    #expect(page.contains("Reload for newer figures."))
    #expect(page.contains("a migration begins with a primary store"))
    #expect(page.contains("1,234,567, 67 never expire"))
    #expect(page.contains("<span>eval, evalsha: 12 times</span>"))
  }

  @Test func `ids are unique and labels point to them`() {
    let page = page()
    let ids = page.matches(of: /\sid="([^"]+)"/).map { String($0.1) }
    #expect(Set(ids).count == ids.count)
    for match in page.matches(of: /aria-labelledby="([^"]+)"/) {
      for id in match.1.split(separator: " ") { #expect(ids.contains(String(id)), "\(id)") }
    }
    for match in page.matches(of: /(?:href="#|url\(#)([^")]+)/) { #expect(ids.contains(String(match.1)), "\(match.1)") }
  }

  @Test(arguments: InstanceReport.State.Stage.allCases)
  func `the picture has an arrow for everything that goes to a store`(_ stage: InstanceReport.State.Stage) {
    var report = StatusReport.example.instances[0]
    let only: InstanceReport.Target = stage == .newOnly ? .primary : .secondary
    let isDual = stage == .dualOld || stage == .dualNew
    report.state.stage = stage
    report.state.reads = isDual ? .primaryThenSecondary : only
    report.state.writes = isDual ? .both : only
    let svg = StatePicture(instance: report).svg(id: "p").markup
    let labels = svg.matches(of: /class="label"[^>]*>([^<]+)</).map { String($0.1) }
    #expect(labels == (isDual ? ["misses", "writes", "reads", "writes"] : ["reads", "writes"]))
    #expect(svg.contains("unused") == !isDual)
    #expect(svg.contains(report.state.sentence.replacing("'", with: "&#39;")))
  }

  @Test func `the one store of an instance without migration is in the middle`() {
    let svg = StatePicture(instance: StatusReport.example.instances[1]).svg(id: "p").markup
    #expect(svg.contains(">Store<") && !svg.contains("New store") && svg.contains("x=\"100\" y=\"166\""))
  }

  /// Tags that were opened and not closed, or closed and not opened.
  private static func openTags(of page: String) -> [String] {
    let void: Set = ["meta", "link", "br"]
    var open: [String] = []
    for match in page.matches(of: /<(\/?)([a-zA-Z][a-zA-Z0-9]*)(?:\s[^>]*?)?(\/?)>/) {
      let name = String(match.2)
      guard match.3.isEmpty, !void.contains(name) else { continue }
      if match.1.isEmpty {
        open.append(name)
      } else if open.last == name {
        open.removeLast()
      } else {
        open.append("/" + name)
      }
    }
    return open
  }
}

@Suite("Curves of the last minutes")
struct SparklineTests {
  private func line(_ values: [Double?]) -> Sparkline {
    Sparkline(title: "Rate", values: values, capacity: 5, windowSeconds: 900, format: HumanFormat.percent)
  }

  @Test func `a curve goes from the left for a whole window, and ends at the right for a short one`() {
    #expect(line([1, 0, 0.5, 0, 1]).svg.markup.contains("class=\"line\" d=\"M0 3L74.5 53L149 28L223.5 53L298 3\""))
    #expect(line([0, 1]).svg.markup.contains("class=\"line\" d=\"M223.5 53L298 3\""))
  }

  @Test func `where nothing was measured there is a gap`() {
    let markup = line([1, nil, nil, 1, 1]).svg.markup
    #expect(markup.matches(of: /class="line"/).count == 2)
    #expect(markup.contains("d=\"M0 3h2\"") && markup.contains("d=\"M223.5 3L298 3\""))
    #expect(!line([nil, nil]).svg.markup.contains("class=\"line\""))
  }

  @Test func `it says in words what it shows`() {
    #expect(line([]).label == "Rate: nothing to show yet")
    #expect(line([0.5, nil, 0.001]).label == "Rate over the last 15 min: now 0.1 %, between 0.1 % and 50 %")
    #expect(line([0, 0]).label == "Rate: 0 % all over the last 15 min")
    #expect(line([0, 0]).svg.markup.contains("M223.5 53L298 53"))
  }
}
