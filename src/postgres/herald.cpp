#include "postgres/herald.hpp"

#include <random>

#include "aiserve/core/clock.hpp"
#include "core/thread_name.hpp"
#include "decide/backoff.hpp"

namespace aiserve::inline v0::pg {
namespace {

using namespace std::chrono_literals;

constexpr const char* kListen = R"sql(LISTEN aiserve_job_ready)sql";
constexpr const char* kNotify = R"sql(SELECT pg_notify('aiserve_job_ready', $1))sql";
constexpr decide::BackoffPolicy kReconnect{.base = 50'000'000, .cap = 5'000'000'000};
constexpr std::chrono::seconds kPatience{10};
// A connection that broke without a word is noticed by the keepalives of TCP; this is the net.
constexpr std::chrono::seconds kLook{30};

Until after(std::chrono::nanoseconds wait) { return std::chrono::steady_clock::now() + wait; }

std::string new_name() {
  std::random_device random;
  return std::to_string(random()) + "-" + std::to_string(random());
}

Connection::Options with_stop(Connection::Options options, int stop_event) {
  options.stop_event = stop_event;
  options.prepared = false;
  return options;
}

}  // namespace

Herald::Herald(Runtime& runtime, Connection::Options options, bool listens,
               std::function<void()> heard)
    : runtime_(runtime),
      name_(new_name()),
      listens_(listens),
      heard_(std::move(heard)),
      connection_(with_stop(std::move(options), stop_.descriptor())) {
  attachment_ = runtime.attach(
      {.name = "postgres-herald", .start = [this] { start(); }, .join = [this] { stop(); }});
}

Herald::~Herald() {
  stop_.set();
  attachment_ = Attachment();
  stop();
}

// Where time is simulated, other processes are not waited for.
void Herald::start() {
  if (runtime_.clock().manual()) return;
  thread_ = std::thread([this] {
    detail::name_this_thread("postgres-herald");
    run();
  });
}

void Herald::stop() noexcept {
  stop_.set();
  if (thread_.joinable()) thread_.join();
}

void Herald::tell() noexcept {
  if (!asked_.exchange(true, std::memory_order_acq_rel)) wake_.set();
}

void Herald::run() {
  std::mt19937_64 random{std::random_device{}()};
  for (std::uint32_t failures = 0;;) {
    try {
      const bool fresh = !connection_.is_open();
      open();
      // Whatever was told while nobody listened.
      if (fresh && listens_) heard_();
      failures = 0;
      serve();
    } catch (const PgError& error) {
      if (error.kind() == PgError::Kind::stopped) return;
      const auto pause =
          std::chrono::nanoseconds(decide::full_jitter(kReconnect, ++failures, random()));
      connection_.close();
      if (!stop_.wait_until(after(pause))) return;
    }
  }
}

void Herald::open() {
  if (connection_.is_open()) return;
  connection_.open();
  if (listens_) connection_.script(kListen, after(kPatience));
}

void Herald::serve() {
  const bool asked = asked_.load(std::memory_order_acquire);
  const Until now = std::chrono::steady_clock::now();
  if (asked && now >= quiet_until_) return send();
  connection_.await_input(wake_.descriptor(), asked ? quiet_until_ : after(kLook));
  wake_.clear();
  hear();
}

void Herald::send() {
  asked_.store(false, std::memory_order_release);
  quiet_until_ = after(kInterval);
  const Statement notify{kNotify, Params(Text{name_})};
  connection_.run(std::span(&notify, 1), after(kPatience));
  told_.fetch_add(1, std::memory_order_relaxed);
}

void Herald::hear() {
  bool of_others = false;
  while (const std::optional<std::string> name = connection_.notification()) {
    of_others = of_others || *name != name_;
  }
  if (of_others) heard_();
}

Async<void> tell_once(PostgresCore& core, const Context& ctx) {
  const auto work = [name = new_name()](Transaction& transaction) -> Result<void> {
    transaction.finish_with_next();
    transaction.query(kNotify, Text{name});
    return success();
  };
  co_return co_await core.run(ctx, work);
}

}  // namespace aiserve::inline v0::pg
