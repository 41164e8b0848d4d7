#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>

#include <doctest/doctest.h>

#include "support/child_process.hpp"
#include "unit/http/client.hpp"
#include "unit/http/tls_client.hpp"
#include "unit/security/signer.hpp"
#include "unit/torch/script_files.hpp"

using aiserve::http::CertificateFolder;
using aiserve::http::make_identity;
using aiserve::http::RawClient;
using aiserve::http::TlsClient;
using aiserve::testing::ChildProcess;

namespace {

constexpr std::uint16_t kPort = 8443;
constexpr std::uint16_t kAdminPort = 9090;
constexpr std::size_t kPixels = 784;

// What the program finds beside it: model, certificate, keys of who signs the tokens.
class Folder {
 public:
  Folder() {
    folder_.write("tls", make_identity({.common_name = "localhost"}));
    folder_.write_text("jwks.json", aiserve::testing::jwks(signer_));
    aiserve::testing::save_script(folder_.file("classifier.pt"),
                                  "def forward(self, x):\n  return "
                                  "torch.softmax(torch.matmul(x.float() / 255.0, self.w), 1)\n",
                                  {{"w", {kPixels, 10}}});
    folder_.write_text("classifier.json", R"({"name": "classifier", "version": "1",
      "inputs": [{"name": "image", "dtype": "uint8", "shape": [-1, 784]}],
      "outputs": [{"name": "probabilities", "dtype": "float32", "shape": [-1, 10]}]})");
  }
  std::string path() const { return folder_.file(""); }
  std::string token(const std::string& audience, const std::string& subject = "ann") const {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    auto claims = aiserve::testing::good_claims(
        std::chrono::duration_cast<std::chrono::seconds>(now).count());
    claims["aud"] = audience;
    claims["sub"] = subject;
    return signer_.sign(claims);
  }

 private:
  CertificateFolder folder_;
  aiserve::testing::Signer signer_ = aiserve::testing::Signer::ec("key");
};

std::string post(const std::string& path, const std::string& token, const std::string& body) {
  return "POST " + path + " HTTP/1.1\r\nHost: a\r\nContent-Type: application/octet-stream\r\n" +
         (token.empty() ? "" : "Authorization: Bearer " + token + "\r\n") +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string get(const std::string& path, const std::string& token) {
  return "GET " + path + " HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + token + "\r\n\r\n";
}

std::string ask(TlsClient& client, const std::string& request) {
  REQUIRE(client.send(request));
  return client.reply();
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The job's path, once it has been seen completed.
void wait_until_completed(TlsClient& client, const std::string& path, const std::string& token) {
  std::string status;
  for (int i = 0; i < 6'000 && !has(status, R"("state":"completed")"); ++i) {
    status = ask(client, get(path, token));
    REQUIRE(status.starts_with("HTTP/1.1 200"));
    ::poll(nullptr, 0, 10);
  }
  CHECK(has(status, R"("state":"completed")"));
}

}  // namespace

TEST_CASE("the front page's program classifies for those with a token, at once and as a job") {
  if (RawClient(kPort).connected() || RawClient(kAdminPort).connected()) {
    MESSAGE("SKIPPED: somebody else listens on port 8443 or 9090");
    return;
  }
  const Folder folder;
  ChildProcess program({"/usr/bin/env", "-C", folder.path(), std::getenv("CLASSIFIER")});
  REQUIRE(program.wait_for_errors("\"port\":9090"));
  const std::string image(kPixels, '\x7f');
  const std::string token = folder.token("classifier");
  const std::string hurried = folder.token("classifier", "bob");
  TlsClient client(kPort);
  REQUIRE(client.connected());

  const std::string answer = ask(client, post("/v1/classify", token, image));
  CHECK(answer.starts_with("HTTP/1.1 200"));
  CHECK(has(answer, R"({"dtype":"float32","shape":[10],"data":[)"));
  CHECK(ask(client, post("/v1/classify", token, image.substr(1))).starts_with("HTTP/1.1 422"));
  CHECK(ask(client, post("/v1/classify", "", image)).starts_with("HTTP/1.1 401"));
  CHECK(ask(client, post("/v1/classify", folder.token("another"), image))
            .starts_with("HTTP/1.1 401"));

  bool limited = false;
  for (int i = 0; i < 2'000 && !limited; ++i) {
    limited = ask(client, get("/v1/jobs/none", hurried)).starts_with("HTTP/1.1 429");
  }
  CHECK(limited);

  const std::string accepted = ask(client, post("/v1/jobs", token, image));
  REQUIRE(accepted.starts_with("HTTP/1.1 202"));
  const std::size_t at = accepted.find("Location: ") + 10;
  const std::string job = accepted.substr(at, accepted.find('\r', at) - at);
  wait_until_completed(client, job, token);
  const std::string stranger = folder.token("classifier", "eve");
  CHECK(ask(client, get(job, stranger)).starts_with("HTTP/1.1 404"));

  RawClient admin(kAdminPort);
  CHECK(admin.get("/health/ready").status == 200);
  CHECK(has(admin.get("/metrics").body, "aiserve_batch"));
  CHECK(admin.get("/status").status == 200);
  program.send_signal(SIGTERM);
  CHECK(program.wait() == 0);
}

TEST_CASE("without its files the front page's program says which one is missing, and ends with 2") {
  const CertificateFolder empty;
  ChildProcess program({"/usr/bin/env", "-C", empty.file(""), std::getenv("CLASSIFIER")});
  CHECK(program.wait() == 2);
  CHECK(has(program.errors(), "classifier.pt"));
}

TEST_CASE("the program has one route with an id, which the test above asks as a stranger") {
  const std::string source = text_of(AISERVE_ROOT "/examples/09_classifier/main.cpp");
  CHECK(has(source, R"(.get("/v1/jobs/{id}")"));
  const std::regex route(R"re(\.(get|post|put|patch|del|events|websocket)\("[^"]*\{)re");
  const auto begin = std::sregex_iterator(source.begin(), source.end(), route);
  CHECK(std::distance(begin, std::sregex_iterator()) == 1);
}

TEST_CASE("the front page prints the two programs as they are built") {
  const std::string page = text_of(AISERVE_ROOT "/README.md");
  for (const char* program : {"01_hello", "09_classifier"}) {
    const std::string source =
        text_of(std::string(AISERVE_ROOT "/examples/") + program + "/main.cpp");
    REQUIRE_FALSE(source.empty());
    CHECK_MESSAGE(has(page, source), program);
  }
}
