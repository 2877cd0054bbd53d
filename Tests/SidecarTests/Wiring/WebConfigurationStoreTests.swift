import Foundation
import HTTPServer
import TestSupport
import Testing

@testable import Sidecar

/// A store with a certificate, in a folder of its own.
private struct Fixture {
  let folder: TemporaryDirectory
  let authority: CertificateAuthority
  let file: String
  let log = LogRecorder()
  let store: WebConfigurationStore

  init(_ yaml: String = "tls_server_config: { cert_file: server.pem, key_file: server.key }") throws {
    folder = try TemporaryDirectory()
    authority = try CertificateAuthority("test", in: folder)
    try setMode(0o600, of: authority.issue("server", for: .server).key)
    file = try folder.write(yaml, to: "web.yml")
    store = try WebConfigurationStore(file: file, logger: log.logger)
  }

  var statistics: WebConfigurationStatistics { store.statistics() }
}

@Suite("Reading the web configuration again")
struct WebConfigurationStoreTests {
  @Test func `without a file everybody may come, and nothing is read`() throws {
    let store = try WebConfigurationStore(file: nil, logger: LogRecorder().logger)
    #expect(store.access.tls == nil)
    #expect(store.watchedFolders == [])
    #expect(store.reload(reason: "test") == nil)
    #expect(store.statistics() == WebConfigurationStatistics(reloads: 0, reloadFailures: 0, lastReloadSucceeded: true))
  }

  @Test func `what has not changed is not taken over again`() throws {
    let fixture = try Fixture()
    #expect(fixture.store.reload(reason: "poll") == nil)
    #expect(fixture.statistics == WebConfigurationStatistics(reloads: 1, reloadFailures: 0, lastReloadSucceeded: true))
    #expect(fixture.log.take() == [])
    #expect(fixture.store.watchedFolders.contains(fixture.folder.path))
  }

  @Test func `a new certificate is taken over, half of one is told and changes nothing`() throws {
    let fixture = try Fixture()
    let old = try fixture.folder.read("server.key")
    _ = try fixture.authority.issue("server", for: .server)
    let new = try fixture.folder.read("server.key")
    try fixture.folder.write(old, to: "server.key")
    // Perhaps the key is just about to come.
    #expect(fixture.store.reload(reason: FileWatch.eventReason) == nil)
    #expect(fixture.statistics == WebConfigurationStatistics(reloads: 1, reloadFailures: 0, lastReloadSucceeded: true))
    #expect(fixture.log.take() == [])
    #expect(fixture.store.reload(reason: "poll") == nil)
    #expect(fixture.statistics == WebConfigurationStatistics(reloads: 1, reloadFailures: 1, lastReloadSucceeded: false))
    #expect(
      fixture.log.take() == [
        "error: Web configuration is not usable; the last good one stays in force | path=\(fixture.file) | "
          + "problem=\(fixture.file):1:55: tls_server_config.key_file: does not belong to the certificate | "
          + "reason=poll"
      ]
    )
    // The same is not told twice.
    #expect(fixture.store.reload(reason: "poll") == nil)
    #expect(fixture.statistics.reloadFailures == 1)
    #expect(fixture.log.take() == [])

    try fixture.folder.write(new, to: "server.key")
    #expect(fixture.store.reload(reason: "SIGHUP")?.tls != nil)
    #expect(fixture.statistics == WebConfigurationStatistics(reloads: 2, reloadFailures: 1, lastReloadSucceeded: true))
    #expect(
      fixture.log.take() == ["notice: Web configuration taken over | path=\(fixture.file) | reason=SIGHUP"]
    )
  }

  @Test func `a file that is gone or empty takes nobody's password away`() throws {
    let fixture = try Fixture()
    try FileManager.default.removeItem(atPath: fixture.file)
    #expect(fixture.store.reload(reason: "test") == nil)
    #expect(fixture.log.take().first?.contains("cannot be read: No such file or directory") == true)
    try fixture.folder.write("", to: "web.yml")
    #expect(fixture.store.reload(reason: "test") == nil)
    #expect(fixture.log.take().first?.contains("is empty; write {} for plain HTTP") == true)
    #expect(fixture.statistics.reloadFailures == 2)
    #expect(fixture.store.access.tls != nil)
  }

  @Test func `TLS is neither begun nor ended without a restart`() throws {
    let fixture = try Fixture()
    try fixture.folder.write("{}", to: "web.yml")
    #expect(fixture.store.reload(reason: "test") == nil)
    #expect(
      fixture.log.take().first?.contains("tls_server_config has been removed, which needs a restart") == true
    )
    #expect(fixture.statistics.lastReloadSucceeded == false)
    let plain = try Fixture("basic_auth_users: {}")
    try plain.folder.write("tls_server_config: { cert_file: server.pem, key_file: server.key }", to: "web.yml")
    #expect(plain.store.reload(reason: "test") == nil)
    #expect(plain.log.take().first?.contains("tls_server_config has been added, which needs a restart") == true)
  }

  @Test func `a start with a mistake tells all of them`() throws {
    let folder = try TemporaryDirectory()
    let file = try folder.write("http_server_confg: {}\nrate_limt: {}\n", to: "web.yml")
    let error = #expect(throws: SidecarStartError.self) {
      try WebConfigurationStore(file: file, logger: LogRecorder().logger)
    }
    #expect(error?.description.split(separator: "\n").count == 2)
  }
}
