import Foundation
import Synchronization
import TestSupport
import Testing

@Suite("Web configuration")
struct WebConfigurationTests {
  @Test func `without certificate, name or password there is nothing but health and readiness`() throws {
    let sidecar = try SecureSidecar()
    let trusting = ["--cacert", sidecar.authority.certificate]
    let certified = trusting + ["--cert", sidecar.client.certificate, "--key", sidecar.client.key]
    #expect(try sidecar.curl("/metrics").status == 200)
    #expect(try sidecar.curl("/").status == 200)
    for path in ["/metrics", "/", "/nowhere"] {
      #expect(try sidecar.curl(path, trusting + ["--user", "prometheus:correct horse"]).status == 403, "\(path)")
      #expect(try sidecar.curl(path, certified).status == 401, "\(path)")
      #expect(try sidecar.curl(path, certified + ["--user", "prometheus:wrong"]).status == 401, "\(path)")
      #expect(try sidecar.curl(path, certified + ["--user", "nobody:correct horse"]).status == 401, "\(path)")
    }
    for path in ["/-/healthy", "/-/ready"] { #expect(try sidecar.curl(path, trusting).status == 200, "\(path)") }
    #expect(try sidecar.curl("/metrics", []).exit == .status(60))
    #expect(try sidecar.curl("/metrics").headers.contains("\r\nX-Frame-Options: deny"))
    // The admin API has its own token and keeps to itself.
    #expect(try sidecar.deployment.sidecar.admin("GET", "/api/v4/features").status == 200)
    try sidecar.deployment.finish()
    let log = sidecar.deployment.sidecar.log.text
    #expect(!log.contains(SecureSidecar.password) && !log.contains(SecureSidecar.hash))
  }

  @Test func `Prometheus scrapes with its certificate and password, and others fail to`() throws {
    let sidecar = try SecureSidecar()
    func job(_ name: String, password: String = SecureSidecar.password, isCertified: Bool = true) throws -> String {
      let certificate = "cert_file: \(sidecar.client.certificate), key_file: \(sidecar.client.key)"
      return """
        - job_name: \(name)
          scheme: https
          basic_auth: { username: \(SecureSidecar.user), password: \(password) }
          tls_config: { ca_file: \(sidecar.authority.certificate)\(isCertified ? ", \(certificate)" : "") }
          static_configs: [ { targets: [ "\(try sidecar.address)" ] } ]
        """
    }
    let jobs = [try job("right"), try job("wrong", password: "guess"), try job("bare", isCertified: false)]
    let prometheus = try ScrapingPrometheus(scrapeConfigs: jobs.joined(separator: "\n"))
    for (name, up) in [("right", 1.0), ("wrong", 0), ("bare", 0)] {
      try eventually("up of \(name) is \(up)") { try prometheus.value("up{job=\"\(name)\"}") == up }
    }
    #expect(try prometheus.value("multistore_build_info") == 1)

    // Certificates change three times while it scrapes; no scrape fails, and neither do clients that connect anew.
    let isOver = Atomic(false)
    let others = Threads(1) { _ in
      while !isOver.load(ordering: .acquiring) {
        // The page that costs the least.
        let answer = try sidecar.curl("/")
        guard answer.status == 200 else { throw TestSupportError(.malformed, "\(answer.status): \(answer.errors)") }
      }
    }
    for number in 1...3 {
      try sidecar.rotate(number)
      try eventually("the new certificate is shown") { try sidecar.subject() == "server-\(number)" }
      let scrapes = try #require(try prometheus.value("count_over_time(up{job=\"right\"}[1h])"))
      try eventually("Prometheus has scraped again") {
        try prometheus.value("count_over_time(up{job=\"right\"}[1h])") ?? 0 > scrapes + 1
      }
    }
    isOver.store(true, ordering: .releasing)
    try others.join()
    #expect(try prometheus.value("min_over_time(up{job=\"right\"}[1h])") == 1)
    #expect(try prometheus.value("max_over_time(up{job=\"wrong\"}[1h])") == 0)
    #expect(try sidecar.metric("multistore_web_config_reloads_total") == 4)
    #expect(try sidecar.metric("multistore_web_config_reload_failures_total") == 0)
  }

  @Test func `a configuration that is broken changes nothing, is told, and is measured`() throws {
    let sidecar = try SecureSidecar()
    let path = sidecar.folder.path("web.yml")
    try sidecar.folder.write("basic_auth_user: {}\n", to: "web.yml")
    try sidecar.deployment.sidecar.waitForEvent("refusal") {
      $0.message == "Web configuration is not usable; the last good one stays in force"
        && $0["problem"]?.string == "\(path):1:1: basic_auth_user: unknown key; did you mean \"basic_auth_users\"?"
    }
    #expect(try sidecar.curl("/metrics").status == 200)
    #expect(try sidecar.metric("multistore_web_config_last_reload_successful") == 0)
    #expect(try #require(try sidecar.metric("multistore_web_config_reload_failures_total")) >= 1)
    // Another user, and no longer this one: in force for the next request.
    try sidecar.folder.write(SecureSidecar.configuration(users: ["grafana"]), to: "web.yml")
    sidecar.deployment.sidecar.process.signal(SIGHUP)
    try eventually("the old user is refused") { try sidecar.curl("/metrics").status == 401 }
    let other = sidecar.credentials.map { $0.replacing("prometheus:", with: "grafana:") }
    #expect(try sidecar.curl("/metrics", other).status == 200)
    // Another name that clients have to have.
    try sidecar.folder.write(SecureSidecar.configuration(names: ["another"], users: ["grafana"]), to: "web.yml")
    try eventually("the certificate is refused") { try sidecar.curl("/metrics", other).status == 403 }
  }

  @Test func `a start with mistakes ends with 1 and all of them, and check-config finds the same`() throws {
    let directory = try TemporaryDirectory()
    let secondary = "unix://\(directory.path("nobody.sock"))"
    let file = try directory.write(
      Deployment.configuration(in: directory, primary: nil, secondary: secondary),
      to: "sidecar.yml"
    )
    let web = try directory.write(
      "tls_server_config: { cert_file: a.pem }\nbasic_auth_users: { a: b }\n",
      to: "web.yml"
    )
    let mistakes = """
      \(web):1:20: tls_server_config: "key_file" is missing; expected the path of a PEM file
      \(web):1:33: tls_server_config.cert_file: cannot read \(directory.path("a.pem")): No such file or directory
      \(web):2:24: basic_auth_users.a: is no bcrypt hash; make one with htpasswd -nBC 10 "" | tr -d ':\\n'

      """
    let start = try SidecarProcess.run(["--config.file=\(file)", "--web.config.file=\(web)"])
    #expect(start.exit == .status(1))
    #expect(start.errors.hasPrefix(mistakes), "\(start.errors)")
    let check = try SidecarProcess.run(["check-config", "--config.file=\(file)", "--web.config.file=\(web)"])
    #expect(check.exit == .status(1))
    #expect(check.output.contains("\(file): OK: "))
    #expect(check.output.hasSuffix("\(mistakes)\(web): 3 errors\n"), "\(check.output)")
    let alone = try SidecarProcess.run(["check-config"], environment: ["MULTISTORE_WEB_CONFIG_FILE": web])
    #expect(alone.output == "\(mistakes)\(web): 3 errors\n")
  }
}
