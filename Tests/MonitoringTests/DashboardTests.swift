import Foundation
import TestSupport
import Testing

@Suite("Dashboards")
struct DashboardTests {
  /// Kinds of panel that Grafana 10 and 11 have and that these dashboards use.
  static let kinds: Set = ["row", "timeseries", "stat", "state-timeline", "table"]
  static let gridWidth = 24

  @Test(arguments: Dashboard.names)
  func `each expression returns something under traffic`(name: String) throws {
    let dashboard = try Dashboard(name)
    let migration = try MonitoredMigration()
    let start = Date()
    let prometheus = try PrometheusServer(configuration: PrometheusServer.configuration(scraping: migration.sidecar))
    try eventually("the sidecar has been scraped") { try prometheus.query("multistore_build_info").count == 1 }
    let variables = try GrafanaVariables(of: dashboard, in: prometheus)
    #expect(!dashboard.queries.isEmpty)
    for query in dashboard.queries {
      let expression = variables.substituted(query.expression)
      #expect(!expression.contains("$"), "\(query.place) has a variable that the dashboard lacks: \(expression)")
    }
    var missing = dashboard.queries
    do {
      try eventually("each expression has returned something", within: .seconds(90)) {
        missing.removeAll { query in
          Self.hasResult(query, variables.substituted(query.expression), in: prometheus, since: start)
        }
        return missing.isEmpty
      }
    } catch {
      for query in missing {
        let expression = variables.substituted(query.expression)
        let answer = Result { try prometheus.query(expression) }
        Issue.record("\(query.place): \(expression), labels \(query.labels.sorted()): \(answer)")
      }
    }
  }

  /// Whether an expression has a number at some time since `start`, in a series with the labels that are shown.
  private static func hasResult(
    _ query: Dashboard.Query,
    _ expression: String,
    in prometheus: PrometheusServer,
    since start: Date
  ) -> Bool {
    // What Prometheus does not take has no result; the answer is shown when time is up.
    let found = try? query.isInstant ? prometheus.query(expression) : prometheus.query(expression, since: start)
    return found?.contains { series in
      series.values.contains(where: \.isFinite) && query.labels.isSubset(of: series.labels.keys)
    } ?? false
  }

  @Test(arguments: Dashboard.names)
  func `the structure is what Grafana expects`(name: String) throws {
    let dashboard = try Dashboard(name)
    #expect(dashboard.json["uid"]?.string == name)
    // 36 came with Grafana 9, 41 with 11.6; the schema of version 2 has another form.
    #expect((36...41).contains(dashboard.json["schemaVersion"]?.number ?? 0))
    #expect(dashboard.json["title"]?.string?.isEmpty == false)
    #expect(dashboard.json["id"] == nil, "a number that belongs to one Grafana")
    #expect(dashboard.json["refresh"]?.string == "30s")
    #expect(dashboard.json["tags"] == .array([.string("multistore")]))
    let identifiers = dashboard.all.compactMap { $0["id"]?.number }
    #expect(identifiers.count == dashboard.all.count)
    #expect(Set(identifiers).count == identifiers.count)
    #expect(Set(dashboard.panels.compactMap { $0["title"]?.string }).count == dashboard.panels.count)
    for item in dashboard.all {
      #expect(Self.kinds.contains(item["type"]?.string ?? ""))
    }
  }

  @Test(arguments: Dashboard.names)
  func `no panel lies on another or beyond the grid`(name: String) throws {
    var taken: [Int: String] = [:]
    for item in try Dashboard(name).all {
      let title = item["title"]?.string ?? ""
      let place = try #require(item["gridPos"])
      let numbers = ["x", "y", "w", "h"].compactMap { place[$0]?.number.map { Int($0) } }
      try #require(numbers.count == 4)
      let (x, y, width, height) = (numbers[0], numbers[1], numbers[2], numbers[3])
      #expect(x >= 0 && y >= 0 && width > 0 && height > 0 && x + width <= Self.gridWidth, "\(title)")
      for row in y..<y + height {
        for column in x..<x + width {
          let other = taken.updateValue(title, forKey: row * Self.gridWidth + column)
          #expect(other == nil, "\(title) lies on \(other ?? "")")
        }
      }
    }
  }

  @Test(arguments: Dashboard.names)
  func `each panel explains itself and shows its unit`(name: String) throws {
    for panel in try Dashboard(name).panels {
      let title = try #require(panel["title"]?.string)
      #expect(panel["description"]?.string?.count ?? 0 > 15, "\(title)")
      let defaults = panel["fieldConfig"]?["defaults"]
      switch panel["type"]?.string {
      case "timeseries": #expect(defaults?["unit"]?.string?.isEmpty == false, "\(title)")
      case "stat": #expect(defaults?["thresholds"]?["steps"]?.elements?.isEmpty == false, "\(title)")
      case "state-timeline": #expect(defaults?["mappings"]?.elements?.isEmpty == false, "\(title)")
      case "table": #expect(panel["transformations"]?.elements?.count == 1, "\(title)")
      default: Issue.record("\(title) is of another kind")
      }
    }
  }

  @Test(arguments: Dashboard.names)
  func `each query has a letter and asks the data source that is chosen`(name: String) throws {
    let dashboard = try Dashboard(name)
    let chosen = JSONValue.object(["type": .string("prometheus"), "uid": .string("${datasource}")])
    for panel in dashboard.panels {
      let targets = try #require(panel["targets"]?.elements)
      let letters = targets.compactMap { $0["refId"]?.string }
      #expect(!letters.isEmpty)
      #expect(Set(letters).count == targets.count)
      #expect(panel["datasource"] == chosen)
      for target in targets {
        #expect(target["datasource"] == chosen)
        #expect(target["instant"]?.bool != target["range"]?.bool, "one of both")
        let isTable = panel["type"]?.string == "table"
        #expect(target["legendFormat"]?.string?.isEmpty == isTable)
      }
    }
    for annotation in dashboard.annotations { #expect(annotation["datasource"] == chosen) }
    #expect(dashboard.variables.map { $0["name"]?.string } == ["datasource", "job", "instance_name"])
    #expect(dashboard.variables.first?["type"]?.string == "datasource")
    #expect(dashboard.variables.first?["query"]?.string == "prometheus")
    for variable in dashboard.variables.dropFirst() { #expect(variable["datasource"] == chosen) }
  }

  @Test func `the overview leads to the drill-down`() throws {
    let links = try Dashboard("multistore-overview").panels.flatMap {
      $0["fieldConfig"]?["defaults"]?["links"]?.elements ?? []
    }
    #expect(!links.isEmpty)
    for link in links {
      let url = try #require(link["url"]?.string)
      #expect(url.hasPrefix("/d/multistore-instance?"))
      #expect(url.contains("var-instance_name=${__field.labels.instance_name}"))
    }
  }

  @Test func `the committed files are what their source writes`() throws {
    let folder = try TemporaryDirectory()
    let script = Repository.dashboards.appendingPathComponent("source/generate.py").path
    let outcome = try ChildProcess.run("python3", [script, folder.path])
    try #require(outcome.exit == .status(0), "\(outcome.errors)")
    for name in Dashboard.names {
      let committed = Repository.dashboards.appendingPathComponent("\(name).json")
      let isCurrent = try folder.read("\(name).json") == String(contentsOf: committed, encoding: .utf8)
      #expect(isCurrent, "run dashboards/source/generate.py and commit \(name).json")
    }
    let found = try Repository.files(in: Repository.dashboards, ending: ".json")
    #expect(found.count == Dashboard.names.count, "a dashboard that nobody writes")
  }
}
