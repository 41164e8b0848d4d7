#include "core/runtime_core.hpp"

#include <algorithm>
#include <array>

#include <boost/asio/post.hpp>

#include "aiserve/core/telemetry.hpp"
#include "core/json_text.hpp"
#include "core/thread_name.hpp"

namespace aiserve::inline v0::detail {
namespace {

void check_range(const char* option, long long value, long long low, long long high) {
  if (value >= low && value <= high) return;
  throw ConfigError("runtime: " + std::string(option) + " is " + std::to_string(value) +
                    ", must be " + std::to_string(low) + " to " + std::to_string(high));
}

RuntimeOptions checked(RuntimeOptions options) {
  check_range("io_threads", options.io_threads, 1, 256);
  check_range("blocking_threads", options.blocking_threads, 1, 1024);
  check_range("cpu_threads", options.cpu_threads, 1, 256);
  check_range("pool_queue", static_cast<long long>(options.pool_queue), 1, 1 << 24);
  constexpr long long kDay = 86'400'000;
  check_range("spin in us", options.spin.count(), 0, 10'000);
  check_range("drain_delay in ms", options.drain_delay.count(), 0, kDay);
  check_range("drain_timeout in ms", options.drain_timeout.count(), 0, kDay);
  check_range("stuck_timeout in ms", options.stuck_timeout.count(), 1, kDay);
  return options;
}

}  // namespace

std::string_view to_string(RuntimeState state) noexcept {
  constexpr std::array<std::string_view, 4> kNames{"created", "running", "draining", "stopped"};
  return kNames[static_cast<std::size_t>(state)];
}

RuntimeCore::RuntimeCore(RuntimeOptions options, LoopOwner owner,
                         boost::asio::io_context* host_loop)
    : options_(checked(std::move(options))),
      owner_(owner),
      own_telemetry_(options_.telemetry == nullptr ? std::make_unique<Telemetry>() : nullptr),
      telemetry_(own_telemetry_ ? own_telemetry_.get() : options_.telemetry),
      clock_(options_.clock == nullptr ? &Clock::steady() : options_.clock),
      endless_calls_(static_cast<std::size_t>(std::max(1, options_.blocking_threads / 2))),
      blocking_pool_("blocking", options_.blocking_threads, options_.pool_queue, *clock_),
      cpu_pool_("cpu", options_.cpu_threads, options_.pool_queue, *clock_),
      metrics_(telemetry_->metrics()) {
  const int loops = owner == LoopOwner::runtime ? options_.io_threads : 1;
  for (int i = 0; i < loops; ++i) {
    io_.push_back(std::make_unique<IoThread>(*this, i, host_loop));
  }
  blocking_pool_.on_wait([this](Duration wait) { metrics_.blocking_wait(wait); });
  cpu_pool_.on_wait([this](Duration wait) { metrics_.cpu_wait(wait); });
  if (clock_->manual()) clock_->listen(this, [this] { clock_moved(); });
}

RuntimeCore::~RuntimeCore() {
  shutdown(Deadline::never());
  clock_->forget(this);
}

void RuntimeCore::start() {
  auto expected = RuntimeState::created;
  if (!state_.compare_exchange_strong(expected, RuntimeState::running)) {
    throw ConfigError("runtime: start() was called before");
  }
  if (owner_ == LoopOwner::simulation) {
    io_.front()->enter();
    host_thread_ = std::this_thread::get_id();
  } else {
    start_threads();
  }
  // Indexed: a component may attach another one while it starts.
  for (std::size_t i = 0; i < components_.size(); ++i) {
    if (components_[i].component.start) components_[i].component.start();
  }
}

void RuntimeCore::start_threads() {
  for (const auto& thread : io_) {
    if (owner_ == LoopOwner::host) {
      boost::asio::post(thread->loop(), [this, io = thread.get()] {
        io->enter();
        const std::scoped_lock lock(mutex_);
        host_thread_ = std::this_thread::get_id();
      });
    } else {
      io_threads_.emplace_back([io = thread.get()] {
        name_this_thread("io-" + std::to_string(io->index()));
        io->run();
      });
    }
    metrics_.watch_lag(*thread);
  }
  blocking_pool_.start();
  cpu_pool_.start();
  const std::scoped_lock lock(mutex_);
  for (const auto& worker : workers_) {
    worker->start_thread([this](const Error& error) { fail(error); });
  }
}

void RuntimeCore::stop() noexcept {
  {
    const std::scoped_lock lock(stop_mutex_);
    stop_requested_ = true;
  }
  stop_wanted_.notify_all();
}

void RuntimeCore::fail(const Error& error) noexcept {
  {
    const std::scoped_lock lock(mutex_);
    if (!failure_) failure_ = error;
  }
  telemetry_->log().error(error.to_string());
  stop();
}

Attachment RuntimeCore::attach(Component component) {
  const std::scoped_lock lock(mutex_);
  components_.push_back({next_id_, std::move(component)});
  return {this, next_id_++};
}

void RuntimeCore::detach(std::uint64_t id) noexcept {
  if (state() == RuntimeState::running) {
    telemetry_->log().warn("a component is destroyed while its runtime runs: shutting down first");
    shutdown(Deadline::never());
  }
  const std::scoped_lock lock(mutex_);
  std::erase_if(components_, [id](const Attached& attached) { return attached.id == id; });
}

std::shared_ptr<WorkerLoop> RuntimeCore::add_worker(WorkerOptions options) {
  auto loop = std::make_shared<WorkerLoop>(std::move(options), *clock_, options_.spin);
  const std::scoped_lock lock(mutex_);
  // Those that retired while the Runtime runs.
  std::erase_if(workers_, [](const auto& worker) {
    if (worker->ended()) worker->join();
    return worker->ended();
  });
  workers_.push_back(loop);
  const RuntimeState now = state();
  if (now != RuntimeState::created && owner_ != LoopOwner::simulation) {
    loop->start_thread([this](const Error& error) { fail(error); });
  }
  return loop;
}

IoThread* RuntimeCore::io(int index) const noexcept {
  const auto position = static_cast<std::size_t>(index);
  return position < io_.size() ? io_[position].get() : nullptr;
}

IoThread* RuntimeCore::any_io() noexcept {
  if (IoThread* own = IoThread::current(this)) return own;
  if (io_.empty()) return nullptr;
  return io_[next_io_.fetch_add(1, std::memory_order_relaxed) % io_.size()].get();
}

void RuntimeCore::tick() {
  flush_telemetry_soon();
  const std::scoped_lock lock(mutex_);
  for (const Attached& attached : components_) {
    if (attached.component.tick) attached.component.tick();
  }
}

void RuntimeCore::flush_telemetry_soon() {
  // A full pool has worse to tell; the next second tries again.
  (void)blocking_pool_.submit([this] { telemetry_->flush(); });
}

void RuntimeCore::clock_moved() {
  // Only manual clocks come here: timers and workers look at the new time.
  if (state() == RuntimeState::stopped || owner_ == LoopOwner::simulation) return;
  for (const auto& thread : io_) {
    boost::asio::post(thread->loop(), [io = thread.get()] { io->check_timers(); });
  }
  const std::scoped_lock lock(mutex_);
  for (const auto& worker : workers_) worker->wake();
}

void RuntimeCore::pump() {
  const auto failed = [this](const Error& error) { fail(error); };
  bool progress = true;
  while (progress) {
    progress = false;
    for (const auto& thread : io_) {
      if (thread->loop().stopped()) thread->loop().restart();
      progress |= thread->loop().poll() > 0;
      progress |= thread->check_timers() > 0;
    }
    while (blocking_pool_.run_one() || cpu_pool_.run_one()) progress = true;
    for (std::size_t i = 0; i < workers_.size(); ++i) progress |= workers_[i]->turn(failed);
  }
}

Deadline RuntimeCore::next_event() const noexcept {
  Deadline next;
  for (const auto& thread : io_) next = next.earlier(thread->next_timer());
  for (const auto& worker : workers_) next = next.earlier(worker->wait_until());
  return next;
}

Readiness RuntimeCore::readiness() const {
  Readiness readiness;
  const RuntimeState now = state();
  if (now != RuntimeState::running)
    readiness.reasons.push_back("runtime is " + std::string(to_string(now)));
  const std::scoped_lock lock(mutex_);
  if (failure_) readiness.reasons.push_back(failure_->message());
  for (const Attached& attached : components_) {
    if (!attached.component.not_ready) continue;
    std::string reason = attached.component.not_ready();
    if (!reason.empty()) readiness.reasons.push_back(attached.component.name + ": " + reason);
  }
  readiness.ready = readiness.reasons.empty();
  return readiness;
}

namespace {
void describe(JsonText& json, const Pool& pool) {
  const Pool::Snapshot now = pool.snapshot();
  json.key(pool.name()).begin_object();
  json.key("threads").number(now.threads);
  json.key("running").number(static_cast<std::int64_t>(now.running));
  json.key("queued").number(static_cast<std::int64_t>(now.queued));
  json.key("longest_wait_ms")
      .number(static_cast<std::int64_t>(now.longest_wait / std::chrono::milliseconds(1)));
  json.end_object();
}
}  // namespace

std::string RuntimeCore::status() const {
  JsonText json;
  json.begin_object();
  json.key("state").string(to_string(state()));
  json.key("options").begin_object();
  json.key("io_threads").number(io_threads());
  json.key("drain_delay_ms").number(options_.drain_delay.count());
  json.key("drain_timeout_ms").number(options_.drain_timeout.count());
  json.key("spin_us").number(std::int64_t{options_.spin.count()});
  json.key("stuck_timeout_ms").number(options_.stuck_timeout.count());
  json.key("pool_queue").number(static_cast<std::int64_t>(options_.pool_queue));
  json.end_object();
  json.key("pools").begin_object();
  describe(json, blocking_pool_);
  describe(json, cpu_pool_);
  json.end_object();
  json.key("spawned").number(static_cast<std::int64_t>(spawned_.inside()));
  json.key("components").begin_array();
  const std::scoped_lock lock(mutex_);
  for (const Attached& attached : components_) {
    json.begin_object();
    json.key("name").string(attached.component.name);
    if (attached.component.gate != nullptr) {
      json.key("inside").number(static_cast<std::int64_t>(attached.component.gate->inside()));
    }
    if (attached.component.status) json.key("status").raw(attached.component.status());
    json.end_object();
  }
  json.end_array().end_object();
  return std::move(json).text();
}

}  // namespace aiserve::inline v0::detail
