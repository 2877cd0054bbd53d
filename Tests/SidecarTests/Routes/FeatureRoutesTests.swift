import Foundation
import HTTPServer
import HTTPTestSupport
import Sockets
import TestSupport
import Testing

@testable import Sidecar

private let flag = "/api/v4/features/\(Name.defaultA)"

@Suite("Feature flags over HTTP")
struct FeatureRoutesTests {
  private let flags: FlagFixture
  private let server: HTTPServer

  init() throws {
    flags = try FlagFixture("\(Name.dualB): true\n")
    server = try .onLoopback(FeatureRoutes(flags.store).routes)
  }

  private var isOn: Bool {
    get throws { try server.curl(flag).text.contains("\"state\":\"on\"") }
  }

  @Test("the list has the fields that GitLab's Features API has")
  func list() throws {
    let answer = try server.curl("/api/v4/features")
    #expect(answer.status == 200)
    #expect(answer.header("Content-Type") == "application/json")
    let list = try #require(try JSONSerialization.jsonObject(with: Data(answer.body)) as? [[String: Any]])
    #expect(list.map { $0["name"] as? String } == [Name.dualA, Name.defaultA, Name.dualB, Name.defaultB])
    #expect(list.map { $0["state"] as? String } == ["off", "off", "on", "off"])
    #expect(list[2].keys.sorted() == ["definition", "gates", "name", "state"])
    #expect(list[2]["definition"] is NSNull)
    let gates = try #require(list[2]["gates"] as? [[String: Any]])
    #expect(gates.count == 1)
    #expect(gates[0]["key"] as? String == "boolean")
    #expect(gates[0]["value"] as? Bool == true)
  }

  @Test(
    "a flag is set by form, query or JSON",
    arguments: [
      ("", ["-d", "value=true"]), ("?value=true", ["-X", "POST"]),
      ("", ["-H", "Content-Type: application/json", "-d", "{\"value\": true}"]),
      ("", ["-H", "Content-Type: application/json; charset=utf-8", "-d", " { \"value\" : \"true\" }\n"]),
    ]
  )
  func set(query: String, arguments: [String]) throws {
    let answer = try server.curl(flag + query, arguments: arguments)
    #expect(answer.status == 201)
    #expect(
      answer.text
        == "{\"name\":\"\(Name.defaultA)\",\"state\":\"on\","
        + "\"gates\":[{\"key\":\"boolean\",\"value\":true}],\"definition\":null}\n"
    )
    #expect(try isOn)
    #expect(try server.curl(flag, "-d", "value=false").text.contains("\"state\":\"off\""))
    #expect(try !isOn)
  }

  /// A page's name can be made to resolve to this machine, and the page could read the answers then.
  @Test func `reads under another name are refused where they are guarded`() throws {
    let guarded = try HTTPServer.onLoopback(FeatureRoutes(flags.store).routes, access: HTTPAccess(guardsReads: true))
    for (host, status) in [("evil.example:9737", 403), ("localhost:9737", 200), ("127.0.0.1:1", 200)] {
      #expect(try guarded.curl("/api/v4/features", "-H", "Host: \(host)").status == status, "\(host)")
    }
    #expect(try server.curl("/api/v4/features", "-H", "Host: evil.example").status == 200)
  }

  @Test("DELETE turns a flag off")
  func delete() throws {
    #expect(try server.curl(flag, "-d", "value=true").status == 201)
    let answer = try server.curl(flag, "-X", "DELETE")
    #expect(answer.status == 204)
    #expect(answer.body.isEmpty)
    #expect(try !isOn)
  }

  @Test(
    "any other value is refused, and changes nothing",
    arguments: ["", "value=", "value=1", "value=TRUE", "value=true&value=false", "other=true", "value=50"]
  )
  func badValue(form: String) throws {
    let answer = try server.curl(flag, "-d", form)
    #expect(answer.status == 400)
    #expect(answer.text.hasPrefix("value has to be given once, as true or false"))
    #expect(try !isOn)
  }

  @Test(
    "JSON that is anything but one value is refused",
    arguments: [
      "{}", "{\"value\":1}", "{\"value\":true,\"x\":1}", "{\"value\":true}}", "{\"value\":true", "[true]", "true",
      "{\"value\":truefalse}", "{\"value\":tru}", "{\"Value\":true}",
    ]
  )
  func badJSON(body: String) throws {
    #expect(try server.curl(flag, "-H", "Content-Type: application/json", "-d", body).status == 400)
    #expect(try !isOn)
  }

  @Test("an unknown flag is answered with the known ones", arguments: ["GET", "POST", "DELETE"])
  func unknown(method: String) throws {
    let answer = try server.curl("/api/v4/features/nonsense?value=true", "-X", method)
    #expect(answer.status == 404)
    #expect(
      answer.text
        == "There is no feature flag 'nonsense'. Known flags: \(Name.dualA) \(Name.defaultA) \(Name.dualB) "
        + "\(Name.defaultB)\n"
    )
  }

  @Test("a change that cannot be made says why")
  func refusedChanges() throws {
    let folder = try TemporaryDirectory()
    try FileManager.default.createDirectory(atPath: folder.path("..data"), withIntermediateDirectories: false)
    let path = try folder.write("{}\n", to: "..data/flags.yml")
    let managed = try FlagFixture(nil, folder: folder, path: path)
    let readOnly = try HTTPServer.onLoopback(FeatureRoutes(managed.store).routes)
    let refused = try readOnly.curl(flag, "-d", "value=true")
    #expect(refused.status == 409)
    #expect(refused.text.hasPrefix("The feature flag '\(Name.defaultA)' cannot be changed here: "))
    #expect(refused.text.contains("\(path) comes from a Kubernetes ConfigMap or Secret"))
    try flags.folder.write("garbage\n", to: "flags.yml")
    let failed = try server.curl(flag, "-d", "value=true")
    #expect(failed.status == 500)
    #expect(failed.text.hasPrefix("The feature flag '\(Name.defaultA)' was not changed: "))
    #expect(failed.text.contains("\(flags.path) is not valid"))
    #expect(try server.curl(flag, "-X", "DELETE").status == 500)
    #expect(flags.on == [Name.dualB])
  }

  @Test(
    "a browser's page from elsewhere changes nothing",
    arguments: [
      ["Origin: https://evil.example"], ["Origin: null"], ["Sec-Fetch-Site: cross-site"], ["Sec-Fetch-Site: same-site"],
      ["Host: evil.example"], ["Host: evil.example", "Origin: http://evil.example"], ["Host: localhost.evil.example:1"],
      ["Referer: https://evil.example/page"], ["Referer: https://evil.example"], ["Referer: about:blank"],
      ["Host: 127.0.0.1:97", "Referer: http://127.0.0.1:9737/"],
      ["Host: localhost", "Referer: http://localhost.evil/"],
      ["Host: localhost", "Referer: http://localhost@evil.example/"],
    ]
  )
  func crossSite(headers: [String]) throws {
    let lines = headers.contains { $0.hasPrefix("Host") } ? headers : headers + ["Host: \(server.boundAddress)"]
    for request in [
      "POST \(flag) HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 10\r\n",
      "DELETE \(flag) HTTP/1.1\r\nContent-Length: 10\r\n",
    ] {
      let answer = try server.raw(
        "\(request)\(lines.joined(separator: "\r\n"))\r\nConnection: close\r\n\r\nvalue=true"
      )
      #expect(answer.hasPrefix("HTTP/1.1 403 "))
    }
    #expect(try !isOn)
    #expect(server.statistics.deniedRequests == 2)
  }

  @Test("the listener's own pages and programs may change flags")
  func sameSite() throws {
    let own = "http://\(server.boundAddress)"
    #expect(
      try server.curl(flag, "-d", "value=true", "-H", "Origin: \(own)", "-H", "Sec-Fetch-Site: same-origin").status
        == 201
    )
    #expect(try server.curl(flag, "-d", "value=true", "-H", "Sec-Fetch-Site: none").status == 201)
    #expect(try server.curl(flag, "-d", "value=true", "-H", "Referer: \(own)/status?instance=a").status == 201)
    #expect(try server.curl(flag, "-d", "value=true", "-H", "Referer: \(own)").status == 201)
    // Programs may say where they come from as well, if a web page could not make them do it.
    #expect(try server.curl(flag, "-H", "Referer: https://evil.example/").status == 200)
    #expect(try server.curl(flag, "-d", "value=true", "-H", "Host: localhost:9737").status == 201)
    #expect(try server.curl(flag, "-d", "value=true", "-H", "Host: [::1]:9737").status == 201)
  }
}
