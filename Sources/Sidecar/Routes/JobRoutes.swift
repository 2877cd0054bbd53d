internal import HTTPServer
internal import MultiStore
internal import Status

/// The routes that start, change and show backfills and verifications.
struct JobRoutes {
  private let instances: [InstanceAccess]

  init(of instances: [InstanceAccess]) {
    self.instances = instances
  }

  var routes: [HTTPRoute] {
    [show, start] + AdminPath.jobChanges.map(change)
  }

  private var show: HTTPRoute {
    HTTPRoute([.get], AdminPath.jobs) { request in
      do throws(JobMistake) {
        let query = try JobQuery(request.query)
        let asked = query.instance.map { name in [instances.named(name)].compactMap(\.self) } ?? instances
        guard !asked.isEmpty else { return instances.unknownInstance }
        let report = JobsReport(of: asked.map(\.status), kind: query.kind, showsKeys: query.showsKeys)
        return switch query.format {
        case .json: .json(report.json + "\n")
        case .table: .plain(report.text)
        case .line: .plain(report.line)
        }
      } catch {
        return .text(error.message, status: 400)
      }
    }
  }

  private var start: HTTPRoute {
    HTTPRoute([.post], AdminPath.jobs) { request in
      do throws(JobMistake) {
        let (fields, job) = try JobFields.start(request)
        let who = fields.who
        return ask(fields) { instance throws(KeyJobRefusal) in try instance.startJob(job, who: who) }
      } catch {
        return .text(error.message, status: 400)
      }
    }
  }

  private func change(_ name: String) -> HTTPRoute {
    HTTPRoute([.post], AdminPath.jobChange(name)) { request in
      do throws(JobMistake) {
        let (fields, change) = try JobFields.change(request, name)
        let (who, kind) = (fields.who, fields.kind)
        return ask(fields) { instance throws(KeyJobRefusal) in try instance.changeJob(kind, change, who: who) }
      } catch {
        return .text(error.message, status: 400)
      }
    }
  }

  /// Asks the instance, and answers with the job's progress.
  private func ask(
    _ fields: JobFields,
    _ body: @escaping @Sendable (Instance) throws(KeyJobRefusal) -> Void
  ) -> HTTPResponse {
    guard let instance = instances.named(fields.instance) else { return instances.unknownInstance }
    let kind = fields.kind
    do throws(InstanceAccess.NoAnswer) {
      let answer = try instance.ask { asked -> Result<KeyJobProgress?, KeyJobRefusal> in
        do throws(KeyJobRefusal) {
          try body(asked)
          return .success(asked.jobProgress.first { $0.request.kind == kind })
        } catch {
          return .failure(error)
        }
      }
      switch answer {
      case .failure(let refusal): return .text("\(fields.instance): \(refusal.sentence)", status: 409)
      case .success(let progress):
        let jobs = progress.map { [JobsReport.Job($0, of: fields.instance, showsKeys: false)] } ?? []
        return .json(JobsReport(takenMilliseconds: jobs.first?.startedMilliseconds ?? 0, jobs: jobs).json + "\n")
      }
    } catch {
      return error.response
    }
  }
}

extension KeyJobRefusal {
  /// The reason as a sentence.
  fileprivate var sentence: String {
    switch self {
    case .passThrough: "there is no primary store, so there is nothing to copy to or to compare with."
    case .sameStore: "both stores are the same server and database."
    case .dualWriteOff:
      "dual write is off, so that writes and copies have no common order: turn it on first (see the runbook)."
    case .noKeyWork: "key_work_rate is 0, so that nothing is mended in the background: set it, or leave heal out."
    case .busy(let kind): "the job \(kind.rawValue) has not ended: wait for it, or cancel it."
    case .notRunning(let kind): "there is no job \(kind.rawValue) that has not ended."
    case .notPaused: "the job is not paused."
    case .alreadyPaused: "the job is paused already."
    }
  }
}
