// The steps of a shutdown (architecture: life and death). Readiness turns false, serving goes on
// for drain_delay, accepting stops, gates close in reverse construction order and are waited for;
// what is still there is cancelled; workers, pools and loops end; the loops are destroyed while the
// objects of main still live.
#include <algorithm>
#include <thread>

#include <boost/asio/post.hpp>
#include <unistd.h>

#include "aiserve/core/telemetry.hpp"
#include "core/runtime_core.hpp"

namespace aiserve::inline v0::detail {
namespace {

constexpr std::chrono::milliseconds kLook{1};

// Patience is measured in real time, also where a manual clock stands still.
Deadline real_after(std::chrono::milliseconds delay) {
  return Deadline::after(std::chrono::steady_clock::now(), delay);
}

}  // namespace

void RuntimeCore::shutdown(Deadline deadline) {
  auto expected = RuntimeState::running;
  if (state_.compare_exchange_strong(expected, RuntimeState::draining)) {
    drain(deadline);
  } else if (expected == RuntimeState::created) {
    stop_pools();
    io_.clear();
  }
  state_.store(RuntimeState::stopped, std::memory_order_release);
}

void RuntimeCore::drain(Deadline deadline) {
  telemetry_->log().info("draining");
  const auto never = [] { return false; };
  if (options_.drain_delay.count() > 0) {
    wait_for(never, real_after(options_.drain_delay).earlier(deadline));
  }
  for (Component* component : reversed_components()) {
    if (component->stop_accepting) component->stop_accepting();
  }
  const Deadline patience = real_after(options_.drain_timeout).earlier(deadline);
  // What is on its way when the servers stop accepting enters its gate before that closes.
  wait_for_a_turn(patience);
  close_gates(patience);
  cancel_all();
  wait_for_stragglers();
  stop_workers();
  join_components();
  stop_pools();
  stop_io();
  telemetry_->log().info("stopped");
  telemetry_->flush();
}

std::vector<Component*> RuntimeCore::reversed_components() {
  const std::scoped_lock lock(mutex_);
  std::vector<Component*> components;
  for (auto& attached : components_) components.push_back(&attached.component);
  std::reverse(components.begin(), components.end());
  return components;
}

bool RuntimeCore::pumped_by_caller() const noexcept {
  if (owner_ == LoopOwner::runtime) return false;
  if (owner_ == LoopOwner::simulation || io_.front()->loop().stopped()) return true;
  const std::scoped_lock lock(mutex_);
  return !host_thread_ || *host_thread_ == std::this_thread::get_id();
}

void RuntimeCore::pump_host_loop(std::chrono::milliseconds at_most) {
  IoThread& io = *io_.front();
  if (io.loop().stopped()) io.loop().restart();
  io.loop().run_for(at_most);
}

bool RuntimeCore::wait_for(const std::function<bool()>& done, Deadline deadline) {
  while (!done()) {
    if (owner_ == LoopOwner::simulation) {
      // Nobody else moves the clock, so what does not end by itself never will.
      pump();
      return done();
    }
    if (deadline.expired(std::chrono::steady_clock::now())) return false;
    if (pumped_by_caller()) {
      pump_host_loop(kLook);
    } else {
      std::this_thread::sleep_for(kLook);
    }
  }
  return true;
}

void RuntimeCore::wait_for_a_turn(Deadline patience) {
  const auto left = std::make_shared<std::atomic<std::size_t>>(io_.size());
  for (const auto& thread : io_) {
    boost::asio::post(thread->loop(), [left] { left->fetch_sub(1, std::memory_order_acq_rel); });
  }
  wait_for([&] { return left->load(std::memory_order_acquire) == 0; }, patience);
}

void RuntimeCore::close_gates(Deadline patience) {
  for (Component* component : reversed_components()) {
    Gate* gate = component->gate;
    if (gate == nullptr) continue;
    gate->close();
    if (wait_for([gate] { return gate->inside() == 0; }, patience)) continue;
    std::string busy = component->busy_with ? component->busy_with() : std::string();
    telemetry_->log().warn("drain timed out, cancelling what is in flight",
                           {{"component", component->name},
                            {"inside", static_cast<std::int64_t>(gate->inside())},
                            {"busy_with", busy}});
  }
  spawned_.close();
  wait_for([this] { return spawned_.inside() == 0; }, patience);
}

void RuntimeCore::cancel_all() {
  for (Component* component : reversed_components()) {
    if (component->cancel) component->cancel();
  }
  for (const auto& thread : io_) {
    boost::asio::post(thread->loop(), [io = thread.get()] { io->cancel_operations(); });
  }
}

bool RuntimeCore::everything_left() const {
  const std::scoped_lock lock(mutex_);
  return spawned_.inside() == 0 &&
         std::all_of(components_.begin(), components_.end(), [](const Attached& attached) {
           return attached.component.gate == nullptr || attached.component.gate->inside() == 0;
         });
}

void RuntimeCore::wait_for_stragglers() {
  const auto left = [this] { return everything_left(); };
  if (wait_for(left, real_after(options_.stuck_timeout))) return;
  // A handler that ignores cancellation is a frame that the loops destroy, with a line in the log.
  // A thread inside foreign code is not: stop_workers() deals with that.
  telemetry_->log().error("still busy after cancellation", {{"stuck", stuck_list()}});
}

std::string RuntimeCore::stuck_list() const {
  const std::scoped_lock lock(mutex_);
  std::string list;
  const auto add = [&list](const std::string& name, const std::string& busy) {
    if (!list.empty()) list += "; ";
    list += name + (busy.empty() ? "" : ": " + busy);
  };
  for (const Attached& attached : components_) {
    const Component& component = attached.component;
    if (component.gate == nullptr || component.gate->inside() == 0) continue;
    add(component.name, component.busy_with ? component.busy_with() : std::string());
  }
  if (spawned_.inside() != 0) add("spawned", std::to_string(spawned_.inside()) + " operations");
  for (const auto& worker : workers_) {
    if (!worker->running()) continue;
    const auto& options = worker->options();
    add("worker " + options.name, options.busy_with ? options.busy_with() : std::string());
  }
  return list;
}

void RuntimeCore::stop_workers() {
  std::vector<std::shared_ptr<WorkerLoop>> workers;
  {
    const std::scoped_lock lock(mutex_);
    workers = workers_;
  }
  for (const auto& worker : workers) worker->request_stop();
  if (owner_ == LoopOwner::simulation) {
    for (const auto& worker : workers) worker->end_simulated();
    return;
  }
  const auto ended = [&] {
    const bool workers_ended =
        std::none_of(workers.begin(), workers.end(), [](const auto& w) { return w->running(); });
    const bool pools_idle =
        blocking_pool_.snapshot().running == 0 && cpu_pool_.snapshot().running == 0;
    return workers_ended && pools_idle;
  };
  while (!wait_for(ended, real_after(options_.stuck_timeout))) {
    telemetry_->log().error("a thread does not come back", {{"stuck", stuck_list()}});
    // The thread may use anything that main owns, so there is no safe way back to main.
    if (options_.exit_when_stuck) ::_exit(3);
  }
  for (const auto& worker : workers) worker->join();
}

void RuntimeCore::stop_pools() {
  for (Pool* pool : {&blocking_pool_, &cpu_pool_}) {
    pool->request_stop();
    if (owner_ == LoopOwner::simulation) {
      while (pool->run_one()) {
      }
    }
    pool->join();
  }
}

void RuntimeCore::join_components() {
  for (Component* component : reversed_components()) {
    if (component->join) component->join();
  }
}

void RuntimeCore::stop_io() {
  if (owner_ == LoopOwner::runtime) {
    // Completions that are still in the inboxes run before the loops end.
    for (const auto& thread : io_) {
      boost::asio::post(thread->loop(), [io = thread.get()] { io->stop(); });
    }
    for (std::thread& thread : io_threads_) thread.join();
    io_threads_.clear();
  } else {
    // What this runtime has posted to a loop that is not its own must have run before it goes.
    wait_for([this] { return io_.front()->idle(); }, real_after(options_.stuck_timeout));
    std::atomic<bool> left{false};
    boost::asio::post(io_.front()->loop(), [&] {
      io_.front()->abandon_operations();  // which posts the end of each frame
      io_.front()->leave();
      boost::asio::post(io_.front()->loop(), [&] { left.store(true, std::memory_order_release); });
    });
    while (!left.load(std::memory_order_acquire)) {
      wait_for([&] { return left.load(std::memory_order_acquire); }, Deadline::never());
    }
  }
  io_.clear();
}

}  // namespace aiserve::inline v0::detail
