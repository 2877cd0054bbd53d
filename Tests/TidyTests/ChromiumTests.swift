import Foundation
import TestSupport
import Testing

@Suite("The tests' browser")
struct ChromiumTests {
  private static let policy = """
    <!doctype html><meta http-equiv='Content-Security-Policy' content="default-src 'unsafe-inline'">
    """

  @Test func `a page is opened, asked, measured, told of by a screen reader, and painted`() throws {
    let page = try Chromium().page(width: 360, height: 200)
    let image = "<img alt='A dot' src='data:image/gif;base64,R0lGODlhAQABAAAAACw='>"
    try page.open("data:text/html,<!doctype html><title>T</title><h1>Head</h1>\(image)")
    #expect(try page.evaluate("document.title") == .string("T"))
    #expect(try page.evaluate("Promise.resolve(innerWidth)") == .number(360))
    #expect(try page.complaints() == [])
    let nodes = try page.accessibilityTree()
    #expect(nodes.contains { $0.role == "heading" && $0.name == "Head" })
    #expect(nodes.contains { $0.role == "image" && $0.name == "A dot" })
    #expect(try page.screenshot().starts(with: [0x89, 0x50, 0x4e, 0x47]))
    let error = #expect(throws: TestSupportError.self) { try page.evaluate("nothing.at.all") }
    #expect(error?.code == .process)
  }

  @Test func `what a page complains about is told`() throws {
    let page = try Chromium().page()
    try page.open("data:text/html,\(Self.policy)<script>console.error('oh'); setTimeout(() => { throw 'ah' })</script>")
    try eventually("both are told") {
      let complaints = try page.complaints()
      return complaints.count == 2 && complaints[0].contains("\"oh\"") && complaints[1].contains("ah")
    }
    try page.open("data:text/html,\(Self.policy)<img src='http://127.0.0.1:1/none.png'>")
    try eventually("the violation is told") {
      try page.complaints().contains { $0.contains("contentSecurityPolicyIssueDetails") }
    }
  }

  @Test func `colours, sizes and scripts are as a person has them`() throws {
    let page = try Chromium().page()
    try page.prefer(.dark, reducedMotion: true)
    #expect(try page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches") == .bool(true))
    #expect(try page.evaluate("matchMedia('(prefers-reduced-motion: reduce)').matches") == .bool(true))
    try page.prefer(.light)
    #expect(try page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches") == .bool(false))
    let titled = "data:text/html,<!doctype html><title>still</title><script>document.title = 'ran'</script>"
    try page.open(titled)
    #expect(try page.evaluate("document.title") == .string("ran"))
    try page.runsScripts(false)
    try page.open(titled)
    #expect(try page.evaluate("document.title") == .string("still"))
  }
}
