#include "aiserve/core/runtime.hpp"

#include "core/runtime_core.hpp"

namespace aiserve::inline v0 {

using detail::LoopOwner;
using detail::RuntimeCore;

Attachment::~Attachment() {
  if (core_ != nullptr) core_->detach(id_);
}

Runtime::Runtime(RuntimeOptions options)
    : core_(std::make_unique<RuntimeCore>(std::move(options), LoopOwner::runtime, nullptr)) {}
Runtime::Runtime(boost::asio::io_context& host_loop, RuntimeOptions options)
    : core_(std::make_unique<RuntimeCore>(std::move(options), LoopOwner::host, &host_loop)) {}
Runtime::Runtime(std::unique_ptr<RuntimeCore> core) noexcept : core_(std::move(core)) {}
Runtime::~Runtime() = default;

int Runtime::run() { return core_->run(); }
void Runtime::start() { core_->start(); }
void Runtime::shutdown(Deadline deadline) { core_->shutdown(deadline); }
void Runtime::stop() noexcept { core_->stop(); }

Readiness Runtime::readiness() const { return core_->readiness(); }
std::string Runtime::status() const { return core_->status(); }
Clock& Runtime::clock() const noexcept { return core_->clock(); }
Telemetry& Runtime::telemetry() const noexcept { return core_->telemetry(); }
const RuntimeOptions& Runtime::options() const noexcept { return core_->options(); }
int Runtime::io_threads() const noexcept { return core_->io_threads(); }

boost::asio::any_io_executor Runtime::executor(int index) const {
  detail::IoThread* io = nullptr;
  if (index >= 0) {
    io = core_->io(index);
  } else {
    io = detail::IoThread::current(core_.get());
    if (io == nullptr) io = core_->io(0);
  }
  if (io == nullptr) throw ConfigError("runtime: no such I/O thread, or stopped");
  return io->executor();
}

Attachment Runtime::attach(Component component) { return core_->attach(std::move(component)); }
Worker Runtime::add_worker(WorkerOptions options) {
  return Worker(core_->add_worker(std::move(options)));
}

}  // namespace aiserve::inline v0
