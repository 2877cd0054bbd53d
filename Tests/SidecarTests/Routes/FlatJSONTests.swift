import HTTPServer
import Testing

@testable import Sidecar

@Suite("Flat JSON objects")
struct FlatJSONTests {
  private func read(_ text: String) -> [HTTPField]? { FlatJSON.read(Array(text.utf8)) }

  @Test func `strings and truth values are read in their order`() {
    #expect(read(" { } ") == [])
    #expect(read("{\"a\" : true ,\n\"b\":\"x\"}\n") == [HTTPField("a", "true"), HTTPField("b", "x")])
    #expect(read(#"{"a":"x","a":"y"}"#) == [HTTPField("a", "x"), HTTPField("a", "y")])
  }

  @Test func `escapes are read as they are meant`() {
    let text = #"{"a":"\"\\\/\b\f\n\r\t\u0041\u00fc\ud83d\ude00ß"}"#
    #expect(read(text) == [HTTPField("a", "\"\\/\u{8}\u{c}\n\r\tA\u{fc}\u{1f600}ß")])
  }

  @Test(arguments: [
    "", "{", "}", "[]", "true", "\"a\"", "{\"a\"}", "{\"a\":}", "{\"a\":1}", "{\"a\":null}", "{\"a\":{}}", "{\"a\":[]}",
    "{\"a\":true,}", "{\"a\":true}}", "{\"a\":true \"b\":true}", "{\"a\":truefalse}", "{\"a\":\"x}", "{\"a\":\"\n\"}",
    #"{"a":"\x"}"#, #"{"a":"\u12"}"#, #"{"a":"\ud83d"}"#, #"{"a":"\ud83dx"}"#, #"{"a":"\ude00"}"#, #"{"a":"\u+123"}"#,
    "{a:true}",
  ])
  func `anything else is refused`(text: String) {
    #expect(read(text) == nil)
  }

  @Test func `bytes that are no UTF-8 are refused`() {
    #expect(FlatJSON.read(Array("{\"a\":\"".utf8) + [0xff] + Array("\"}".utf8)) == nil)
  }
}
