// The service over its sockets: what a client sees.
#include <algorithm>
#include <numeric>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "fashion_data/dataset.hpp"
#include "running_service.hpp"

namespace {

using aiserve::http::RawClient;
using aiserve::http::Reply;
using nlohmann::json;
using service::testing::post;
using service::testing::RunningService;

constexpr const char* kBytes = "application/octet-stream";
constexpr const char* kJson = "application/json";

/// One for all cases: libtorch takes its time to load.
RunningService& running() {
  static RunningService service;
  return service;
}

const fashion::Dataset& images() {
  static const fashion::Dataset held_out =
      fashion::load(fashion::default_folder(), fashion::Split::held_out);
  return held_out;
}

std::string image(std::size_t index) {
  const auto pixels = images().image(index);
  return {pixels.begin(), pixels.end()};
}

json answer_to(const Reply& reply) {
  REQUIRE_MESSAGE(reply.status == 200, reply.body);
  return json::parse(reply.body);
}

/// A refusal is problem+json that says its status, why, and which request it was.
std::string refusal(const Reply& reply, int status) {
  CHECK(reply.status == status);
  CHECK(reply.head.find("application/problem+json") != std::string::npos);
  const json problem = json::parse(reply.body);
  CHECK(problem.at("status") == status);
  CHECK_FALSE(problem.at("request_id").get<std::string>().empty());
  return problem.at("detail");
}

std::string refused_image(const char* type, const std::string& body, int status) {
  return refusal(running().connect().ask(post("/v1/fashion", type, body)), status);
}

/// The events of a stream, one after the other.
class Events {
 public:
  Events() : client_(running().connect()) {
    REQUIRE(client_.send("GET /v1/stream HTTP/1.1\r\nHost: a\r\n\r\n"));
    REQUIRE(client_.wait_for("text/event-stream"));
  }

  /// The next event of that type for which `wanted` is true.
  template <class Wanted>
  json await(const std::string& type, const Wanted& wanted) {
    while (true) {
      const std::size_t at = find("event: " + type + "\n", read_);
      const std::size_t begin = find("data: ", at) + 6;
      const std::size_t end = find("\n\n", begin);
      read_ = end;
      const json data = json::parse(client_.received().substr(begin, end - begin));
      if (wanted(data)) return data;
    }
  }

 private:
  /// Waits for more of the stream until the text is there.
  std::size_t find(const std::string& text, std::size_t from) {
    while (client_.received().find(text, from) == std::string::npos) {
      REQUIRE(client_.wait_for_more());
    }
    return client_.received().find(text, from);
  }

  RawClient client_;
  std::size_t read_ = 0;
};

}  // namespace

TEST_CASE("the service says once, and in one line, where it listens") {
  const std::string& said = running().output();
  CHECK(std::count(said.begin(), said.end(), '\n') == 1);
  CHECK(said.starts_with("aiserve: listening on http://127.0.0.1:"));
  CHECK(said.ends_with("/)\n"));
}

TEST_CASE("an image is answered with its class, probabilities, times and batch") {
  const Reply reply = running().connect().ask(post("/v1/fashion", kBytes, image(0)));
  const json answer = answer_to(reply);
  const auto probabilities = answer.at("probabilities").get<std::vector<double>>();
  REQUIRE(probabilities.size() == fashion::kClasses);
  CHECK(std::accumulate(probabilities.begin(), probabilities.end(), 0.0) ==
        doctest::Approx(1).epsilon(1e-4));
  const auto highest = std::max_element(probabilities.begin(), probabilities.end());
  const auto label = static_cast<std::size_t>(highest - probabilities.begin());
  CHECK(answer.at("label") == label);
  CHECK(answer.at("class") == fashion::kLabels[label]);

  const json& timings = answer.at("timings");
  CHECK(timings.at("compute_us") > 0);
  CHECK(timings.at("total_us") >= timings.at("compute_us"));
  CHECK(timings.at("queue_us") >= 0);
  const json& batch = answer.at("batch");
  CHECK(batch.at("size") == 1);
  CHECK(batch.at("position") == 0);
  CHECK(batch.at("reason") == "idle");
  CHECK(batch.at("id").is_number_unsigned());
  CHECK_FALSE(answer.at("request_id").get<std::string>().empty());
}

TEST_CASE("pixels as JSON get the same answer as pixels as bytes") {
  RawClient client = running().connect();
  const auto pixels = images().image(7);
  const json body{{"pixels", std::vector<int>(pixels.begin(), pixels.end())}};
  const json a = answer_to(client.ask(post("/v1/fashion", kJson, body.dump())));
  const json b = answer_to(client.ask(post("/v1/fashion", kBytes, image(7))));
  CHECK(a.at("label") == b.at("label"));
  CHECK(a.at("probabilities") == b.at("probabilities"));
}

TEST_CASE("what is no image is refused, and the field that is wrong is named") {
  CHECK(refused_image(kBytes, std::string(783, 'x'), 422) ==
        "pixels: must be 784 bytes, row by row, not 783");
  CHECK(refused_image(kBytes, "", 422) == "pixels: must be 784 bytes, row by row, not 0");
  CHECK(refused_image(kJson, R"({"pixels":[1,2]})", 422) ==
        "pixels: must be 784 numbers, row by row, not 2");
  CHECK(refused_image(kJson, R"({"pixels":"1"})", 422) == "pixels: must be an array");
  CHECK(refused_image(kJson, R"({})", 422) == "pixels: is missing");
  CHECK(refused_image(kJson, R"([1])", 422) == "the body must be a JSON object");
  CHECK(refused_image(kJson, R"({"pixels":[],"pixel":1})", 422) ==
        "the body may hold \"pixels\" and nothing else");
  json body{{"pixels", std::vector<int>(784, 0)}};
  for (const json& wrong : {json(256), json(-1), json(0.5), json("1"), json(nullptr)}) {
    body["pixels"][17] = wrong;
    CHECK(refused_image(kJson, body.dump(), 422) == "pixels[17]: must be an integer from 0 to 255");
  }
  CHECK(refused_image(kJson, R"({"pixels":[1,})", 400).find("byte 13") != std::string::npos);
  CHECK(refused_image("image/png", image(0), 415) ==
        "send application/octet-stream or application/json");
}

TEST_CASE("routes, methods and sizes are checked") {
  RawClient client = running().connect();
  refusal(client.get("/v1/nothing"), 404);
  refusal(client.get("/metrics"), 404);
  const Reply wrong = client.get("/v1/fashion");
  refusal(wrong, 405);
  CHECK(wrong.head.find("Allow: ") != std::string::npos);
  refusal(client.ask(post("/v1/fashion", kBytes, std::string(64 * 1024 + 1, 'x'))), 413);
}

TEST_CASE("held-out images come as records of label and pixels") {
  RawClient client = running().connect();
  const Reply reply = client.get("/v1/holdout?offset=9998&count=120");
  CHECK(reply.status == 200);
  CHECK(reply.head.find("X-Total-Count: 10000\r\n") != std::string::npos);
  REQUIRE(reply.body.size() == 2 * 785);
  CHECK(reply.body.substr(785, 1) == std::string(1, static_cast<char>(images().labels[9999])));
  CHECK(reply.body.substr(786) == image(9999));
  CHECK(client.get("/v1/holdout").body.size() == 120 * 785);
  CHECK(refusal(client.get("/v1/holdout?offset=10000"), 422) ==
        "offset: must be an integer from 0 to 9999");
  CHECK(refusal(client.get("/v1/holdout?count=x"), 422) ==
        "count: must be an integer from 1 to 1000");
}

TEST_CASE("the model is told with what was measured, without where it lies") {
  const json info = json::parse(running().connect().get("/v1/info").body);
  const json& model = info.at("model");
  CHECK(model.at("path") == "fashion.pt");
  CHECK(model.at("sha256").get<std::string>().size() == 64);
  CHECK(model.at("accuracy") > 0.5);
  CHECK(model.at("trained_images") == 6'000);
  CHECK(model.at("held_out") == 10'000);
  CHECK(info.at("classes") == json(fashion::kLabels));
  CHECK(info.at("instances") >= 1);
  CHECK(info.at("max_batch") == 64);
  CHECK_FALSE(info.at("blas").get<std::string>().empty());
}

TEST_CASE("the page is served with a strict policy, and again only when it has changed") {
  RawClient client = running().connect();
  const Reply page = client.get("/");
  CHECK(page.status == 200);
  CHECK(page.head.find("text/html; charset=utf-8") != std::string::npos);
  CHECK(page.head.find("default-src 'self'") != std::string::npos);
  CHECK(page.body.starts_with("<!doctype html>"));
  CHECK(page.body.ends_with("</html>\n"));
  CHECK(client.get("/app.css").head.find("text/css") != std::string::npos);
  CHECK(client.get("/app.js").head.find("text/javascript") != std::string::npos);
  const std::size_t at = page.head.find("ETag: ") + 6;
  const std::string etag = page.head.substr(at, page.head.find('\r', at) - at);
  const Reply again =
      client.ask("GET / HTTP/1.1\r\nHost: a\r\nIf-None-Match: " + etag + "\r\n\r\n");
  CHECK(again.status == 304);
  CHECK(again.body.empty());
}

TEST_CASE("the second server has metrics, status and health") {
  RawClient admin = running().connect_admin();
  CHECK(admin.get("/health/live").status == 200);
  for (Reply ready = admin.get("/health/ready"); ready.status != 200;
       ready = admin.get("/health/ready")) {
    REQUIRE(ready.status == 503);
    REQUIRE(ready.body.find("warming up") != std::string::npos);
  }
  CHECK(admin.get("/metrics").body.find("aiserve_build_info") != std::string::npos);
  const Reply status = admin.get("/status");
  CHECK(json::parse(status.body).is_object());
  CHECK(status.body.find("\"request_deadline\"") != std::string::npos);
  CHECK(admin.get("/v1/info").status == 404);
}

TEST_CASE("the stream tells of the requests of the last quarter of a second") {
  Events events;
  events.await("stats", [](const json& s) { return s.at("requests_per_s") == 0; });
  answer_to(running().connect().ask(post("/v1/fashion", kBytes, image(1))));
  const json stats =
      events.await("stats", [](const json& s) { return s.at("requests_per_s") > 0; });
  CHECK(stats.at("batches") == json::array({json::array({1, 1})}));
  CHECK(stats.at("mean_batch") == 1);
  CHECK(stats.at("latency_ms").at("p50") > 0);
  CHECK(stats.at("latency_ms").at("p99") >= stats.at("compute_ms").at("p50"));
  CHECK(stats.at("queue_ms").at("p99") >= 0);
  CHECK(stats.at("in_flight") == 0);
  CHECK(stats.at("queue_depth") == 0);
}

TEST_CASE("a run over 500 images is as accurate as asking for them one by one") {
  constexpr std::size_t kCount = 500;
  RawClient client = running().connect();
  std::size_t correct = 0;
  for (std::size_t i = 0; i < kCount; ++i) {
    const json answer = answer_to(client.ask(post("/v1/fashion", kBytes, image(i))));
    correct += answer.at("label") == images().labels[i] ? 1 : 0;
  }
  CHECK(correct > kCount / 2);

  Events events;
  const Reply started = client.ask(post("/v1/fire", kJson, R"({"concurrency":64,"count":500})"));
  REQUIRE(started.status == 202);
  const json id = json::parse(started.body).at("id");
  const json end = events.await("fire", [&](const json& f) { return f.at("state") != "running"; });
  CHECK(end.at("id") == id);
  CHECK(end.at("state") == "done");
  CHECK(end.at("done") == kCount);
  CHECK(end.at("total") == kCount);
  CHECK(end.at("correct") == correct);
  CHECK(end.at("accuracy") == static_cast<double>(correct) / kCount);
  CHECK(end.at("concurrency") == 64);
  CHECK(end.at("mean_batch") > 1);
  CHECK(end.at("per_s") > 0);
}

TEST_CASE("one run at a time, which can be cancelled") {
  RawClient client = running().connect();
  Events events;
  const std::string slow = post("/v1/fire", kJson, R"({"concurrency":1,"count":10000})");
  REQUIRE(client.ask(slow).status == 202);
  refusal(client.ask(slow), 409);
  const auto cancel = [&] { return client.ask("DELETE /v1/fire HTTP/1.1\r\nHost: a\r\n\r\n"); };
  CHECK(cancel().status == 204);
  const json end = events.await("fire", [](const json& f) { return f.at("state") != "running"; });
  CHECK(end.at("state") == "cancelled");
  CHECK(end.at("done") < 10'000);
  CHECK(cancel().status == 204);
}

TEST_CASE("a run is asked for with numbers in range") {
  RawClient client = running().connect();
  const auto refused = [&](const char* body) {
    return refusal(client.ask(post("/v1/fire", kJson, body)), 422);
  };
  CHECK(refused(R"({"concurrency":0,"count":1})") ==
        "concurrency: must be an integer from 1 to 1024");
  CHECK(refused(R"({"concurrency":1025,"count":1})") ==
        "concurrency: must be an integer from 1 to 1024");
  CHECK(refused(R"({"concurrency":1,"count":10001})") ==
        "count: must be an integer from 1 to 10000");
  CHECK(refused(R"({"concurrency":1.5,"count":1})") ==
        "concurrency: must be an integer from 1 to 1024");
  CHECK(refused(R"({"concurrency":1})") == "count: must be an integer from 1 to 10000");
  CHECK(refused("[]") == "the body must be a JSON object");
  refusal(client.ask(post("/v1/fire", kJson, "{")), 400);
}
