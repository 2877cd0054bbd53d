import TestSupport
import Testing

@Suite("The tests' own readers of HTTP, metrics and logs")
struct TestSupportOutputTests {
  @Test func `a response is read with its length, in chunks and with repeated headers`() throws {
    let responses = [
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: 1\r\nx-a: 2\r\n\r\nhello",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A: 1, 2\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\n",
    ]
    for response in responses {
      let server = try ScriptedServer { socket in
        _ = try socket.read()
        try socket.write(Array(response.utf8))
      }
      let answer = try HTTPClient.request("GET", "/", of: server.address)
      #expect(answer.status == 200)
      #expect(answer.text == "hello")
      #expect(answer.headers["x-a"] == "1, 2")
    }
  }

  @Test(arguments: [
    "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n",
    "HTTP/1.1 200 OK\r\n",
    "nonsense\r\n\r\n",
  ])
  func `a broken response is not taken for one`(response: String) throws {
    let server = try ScriptedServer { socket in
      _ = try socket.read()
      try socket.write(Array(response.utf8))
    }
    let error = #expect(throws: TestSupportError.self) { try HTTPClient.request("GET", "/", of: server.address) }
    #expect(error?.code == .malformed)
  }

  @Test func `a form is sent as forms are`() throws {
    let server = try ScriptedServer { socket in
      let request = String(decoding: try socket.read(), as: UTF8.self)
      let body = request.split(separator: "\r\n").last ?? ""
      try socket.write(Array("HTTP/1.1 200 OK\r\n\r\n\(request.prefix(9))|\(body)".utf8))
    }
    let answer = try HTTPClient.request("POST", "/x", of: server.address, form: ["value": "a&b c", "k": "ü"])
    #expect(answer.text == "POST /x H|value=a%26b%20c&k=%C3%BC")
  }

  @Test func `metrics are read with escapes, infinities, timestamps and labels in any order`() throws {
    let text = """
      # HELP a Help.
      # TYPE a counter
      a 3
      b{y="2",x="q\\"}{,\\\\\\n"} 4.5 1395066363000
      c_bucket{le="+Inf"} +Inf
      b{x="other"} 1
      # EOF
      """
    let metrics = try MetricsSnapshot(parsing: text)
    #expect(metrics["a"] == 3)
    #expect(metrics["b", ["x": "q\"}{,\\\n", "y": "2"]] == 4.5)
    #expect(metrics["c_bucket", ["le": "+Inf"]] == .infinity)
    #expect(metrics["b"] == nil)
    #expect(metrics.sum("b") == 5.5)
    #expect(metrics.sum("b", ["y": "2"]) == 4.5)
  }

  @Test(arguments: ["a 1\na 2", "a", "a{x=\"1\" 2", "a{x=1} 2", "a one"])
  func `broken metrics are not taken for any`(text: String) {
    let error = #expect(throws: TestSupportError.self) { try MetricsSnapshot(parsing: text) }
    #expect(error?.code == .malformed)
  }

  @Test func `JSON is read value by value`() throws {
    let json = try JSONValue(parsing: #"{"a":null,"b":true,"c":[1,"x"],"d":{"e":2.5}}"#)
    #expect(json["a"] == .null)
    #expect(json["b"]?.bool == true)
    #expect(json["c"]?.elements == [.number(1), .string("x")])
    #expect(json["d"]?["e"]?.number == 2.5)
    #expect(throws: TestSupportError.self) { try JSONValue(parsing: "{") }
  }

  @Test func `addresses are read as logs write them`() {
    #expect(SocketAddress("unix:/a/b.sock") == .unix("/a/b.sock"))
    #expect(SocketAddress("127.0.0.1:80") == .port(80))
    #expect(SocketAddress("nonsense") == nil)
  }
}
