// What the `cpp body` snippets of the documentation may refer to without saying so.
#pragma once

#include <aiserve/cache/cache.hpp>
#include <aiserve/cache/etag.hpp>
#include <aiserve/cache/inference_request.hpp>
#include <aiserve/core/runtime.hpp>
#include <aiserve/core/telemetry.hpp>
#include <aiserve/events/memory_event_bus.hpp>
#include <aiserve/http/authenticate.hpp>
#include <aiserve/http/client.hpp>
#include <aiserve/http/cookies.hpp>
#include <aiserve/http/event_channel.hpp>
#include <aiserve/http/event_source.hpp>
#include <aiserve/http/event_stream.hpp>
#include <aiserve/http/idempotency.hpp>
#include <aiserve/http/issuer.hpp>
#include <aiserve/http/jobs.hpp>
#include <aiserve/http/middleware.hpp>
#include <aiserve/http/multipart.hpp>
#include <aiserve/http/multipart_reader.hpp>
#include <aiserve/http/openapi.hpp>
#include <aiserve/http/quota.hpp>
#include <aiserve/http/rate_limiter.hpp>
#include <aiserve/http/redirect.hpp>
#include <aiserve/http/server.hpp>
#include <aiserve/http/typed.hpp>
#include <aiserve/http/typed_json.hpp>
#include <aiserve/http/websocket.hpp>
#include <aiserve/http_testing/test_client.hpp>
#include <aiserve/jobs/job_queue.hpp>
#include <aiserve/jobs/memory_job_store.hpp>
#include <aiserve/postgres/postgres_job_store.hpp>
#include <aiserve/postgres/postgres_stores.hpp>
#include <aiserve/security/api_key_verifier.hpp>
#include <aiserve/security/introspection_verifier.hpp>
#include <aiserve/security/jwt_verifier.hpp>
#include <aiserve/serving/batcher.hpp>
#include <aiserve/serving/compute_slots.hpp>
#include <aiserve/serving/sequence_batcher.hpp>
#include <aiserve/serving/shapes.hpp>
#include <aiserve/serving/typed_batcher.hpp>
#include <aiserve/sqlite/sqlite_cache_tier.hpp>
#include <aiserve/sqlite/sqlite_job_store.hpp>
#include <aiserve/sqlite/sqlite_stores.hpp>
#include <aiserve/storage/file_object_store.hpp>
#include <aiserve/storage/memory_idempotency_store.hpp>
#include <aiserve/storage/memory_key_value_store.hpp>
#include <aiserve/testing/sim_runtime.hpp>
#include <aiserve/testing/tcp_gate.hpp>
#include <aiserve/torch/torch_model.hpp>

namespace docs {
using namespace aiserve;
using namespace std::chrono_literals;

/// Stands for whatever a reader's code does with values.
template <class... Values>
void use(const Values&...) {}
template <class... Values>
void log_ride(const Values&...) {}
}  // namespace docs
