/// Handlers for a JobQueue: submit, status, result, cancel, list. Link aiserve::http_jobs.
///
/// All speak for the tenant of the Context: a job of another tenant is 404, as one that never was.
/// Bodies are JSON; ids are strings of digits.
/// *Thread safety:* any thread; the JobQueue must outlive the handlers.
/// *Errors:* problems (RFC 9457): 404, 409 (its state does not allow it), 422 (a parameter, the
/// Idempotency-Key), 503 with Retry-After (the queue is full).
///
///     server.post("/v1/jobs", http::submit(jobs, "classify"))
///         .get("/v1/jobs", http::job_list(jobs))
///         .get("/v1/jobs/{id}", http::job_status(jobs))
///         .get("/v1/jobs/{id}/result", http::job_result(jobs))
///         .del("/v1/jobs/{id}", http::job_cancel(jobs));
#pragma once

#include <aiserve/http/handler.hpp>

#include <string>
#include <string_view>

namespace aiserve::inline v0 {
class JobQueue;
}

namespace aiserve::inline v0::http {

/// Enqueues a job of that kind with the body as input. 202 after the commit, with Location (the
/// request's path and the id) and {"id":"17"}. With an Idempotency-Key of 1 to 255 printable
/// characters a repetition within a day is answered with the job that is there; with another body
/// it is 422.
detail::AsyncHandler submit(JobQueue& jobs, std::string kind);
/// {"id","kind","state","attempt","max_attempts","cancel_requested","created_at"} and, when there
/// are any, "started_at", "finished_at", "error".
detail::AsyncHandler job_status(JobQueue& jobs);
/// The result as it is: 200. 409 while there is none, with Retry-After if there may be one.
/// `content_type` is a literal.
detail::AsyncHandler job_result(JobQueue& jobs,
                                std::string_view content_type = "application/octet-stream");
/// 200 with the status if the job is cancelled, 202 if it runs and was asked to end.
detail::AsyncHandler job_cancel(JobQueue& jobs);
/// {"jobs":[status...],"next":"9"}, latest first; `next` if there may be more. Query: state, limit
/// (1 to 100, default 20), before (the `next` of the page before).
detail::AsyncHandler job_list(JobQueue& jobs);

}  // namespace aiserve::inline v0::http
