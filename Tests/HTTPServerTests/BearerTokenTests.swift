import HTTPTestSupport
import Testing

@testable import HTTPServer

@Suite("Bearer token")
struct BearerTokenTests {
  @Test("only the right token opens, and the challenge says how")
  func token() throws {
    let token = try BearerToken(contentsOfFile: Array("  s3cret-token\n".utf8))
    let server = try HTTPServer.onLoopback([textRoute("/echo/x", "Hello.")], authorization: token)
    let without = try server.curl("/echo/x")
    #expect(without.status == 401)
    #expect(without.header("WWW-Authenticate") == "Bearer realm=\"multistore-exporter\"")
    for wrong in [
      "Bearer", "Bearer ", "Bearer s3cret-toke", "Bearer s3cret-token2", "Basic s3cret-token", "s3cret-token",
    ] {
      #expect(try server.curl("/echo/x", "-H", "Authorization: \(wrong)").status == 401, "\(wrong)")
    }
    #expect(try server.curl("/echo/x", "-H", "authorization: bearer s3cret-token").status == 200)
    #expect(try server.curl("/echo/x", "-H", "Authorization: \(token.headerValue)").status == 200)
    #expect(try server.curl("/echo/x").status == 401)
    #expect(server.statistics.deniedRequests == 8)
  }

  @Test("with a token the listener may go by any name; another site's page still may not change anything")
  func tokenAndHost() throws {
    let token = try BearerToken(contentsOfFile: Array("secret".utf8))
    let route = HTTPRoute([.post], "/echo/x") { _ in .text("Hello.") }
    let server = try HTTPServer.onLoopback([route], authorization: token)
    let bearer = "Authorization: Bearer secret"
    #expect(try server.curl("/echo/x", "-d", "", "-H", bearer, "-H", "Host: admin.example").status == 200)
    #expect(try server.curl("/echo/x", "-d", "", "-H", bearer, "-H", "Origin: https://evil.example").status == 403)
  }

  @Test("a token never prints")
  func tokenIsRedacted() throws {
    let token = try BearerToken(contentsOfFile: Array("s3cret".utf8))
    var dumped = ""
    dump(token, to: &dumped)
    #expect(!"\(token) \(String(reflecting: token)) \(dumped) \([token])".contains("s3cret"))
  }

  @Test("a file that holds no token is refused without being shown", arguments: ["", " \n\t", "two words", "tökén"])
  func badToken(content: String) {
    let error = #expect(throws: BearerTokenError.self) { try BearerToken(contentsOfFile: Array(content.utf8)) }
    #expect(error?.description.contains("openssl rand -hex 32") == true)
    #expect(content.count < 3 || error?.description.contains(content) == false)
  }
}
