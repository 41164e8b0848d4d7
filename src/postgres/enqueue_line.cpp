#include "postgres/enqueue_line.hpp"

#include <algorithm>

namespace aiserve::inline v0::pg {
namespace {

constexpr std::size_t kMostJobs = 1'000;

bool has_keys(const NewJob& job) { return job.unique || !job.order_key.empty(); }

/// Of the first job: there are calls with none, and calls with jobs of several tenants.
std::string tenant_of(const EnqueueRequest& request) {
  if (request.jobs.empty()) return {};
  return std::string(request.jobs.front().tenant.view());
}

bool of_queue(const EnqueueRequest& request, const NewJob& job) {
  return std::all_of(request.jobs.begin(), request.jobs.end(), [&](const NewJob& other) {
    return other.tenant == job.tenant && other.kind == job.kind;
  });
}

}  // namespace

EnqueueRequest::EnqueueRequest(std::span<const NewJob> given)
    : jobs(given.begin(), given.end()), alone(std::any_of(jobs.begin(), jobs.end(), has_keys)) {}

void EnqueueLine::push(EnqueueRequestPtr request) {
  const auto [tenant, first] = tenants_.try_emplace(tenant_of(*request));
  if (first) turns_.push_back(tenant);
  tenant->second.push_back(std::move(request));
  ++size_;
}

EnqueueLine::Tenants::iterator EnqueueLine::next_turn() {
  const Tenants::iterator tenant = turns_.front();
  turns_.pop_front();
  return tenant;
}

void EnqueueLine::end_turn(Tenants::iterator tenant) {
  if (tenant->second.empty()) {
    tenants_.erase(tenant);
  } else {
    turns_.push_back(tenant);
  }
}

EnqueueRequestPtr EnqueueLine::pop(Tenants::iterator tenant) {
  EnqueueRequestPtr request = std::move(tenant->second.front());
  tenant->second.pop_front();
  --size_;
  return request;
}

EnqueueLine::Requests EnqueueLine::take_many() {
  Requests taken;
  std::size_t jobs = 0;
  while (size_ > 0 && (taken.empty() || jobs < kMostJobs)) {
    const Tenants::iterator tenant = next_turn();
    taken.push_back(pop(tenant));
    jobs += taken.back()->jobs.size();
    end_turn(tenant);
  }
  return taken;
}

EnqueueLine::Requests EnqueueLine::take_of_one_queue() {
  Requests taken;
  if (size_ == 0) return taken;
  const Tenants::iterator tenant = next_turn();
  taken.push_back(pop(tenant));
  const EnqueueRequest& first = *taken.front();
  std::size_t jobs = first.jobs.size();
  const auto fits = [&](const EnqueueRequest& next) {
    return !next.alone && jobs < kMostJobs && of_queue(next, first.jobs.front());
  };
  const bool gathers = !first.alone && jobs > 0 && of_queue(first, first.jobs.front());
  while (gathers && !tenant->second.empty() && fits(*tenant->second.front())) {
    taken.push_back(pop(tenant));
    jobs += taken.back()->jobs.size();
  }
  end_turn(tenant);
  return taken;
}

bool EnqueueLine::remove(const EnqueueRequestPtr& request) {
  const auto tenant = tenants_.find(tenant_of(*request));
  if (tenant == tenants_.end()) return false;
  auto& requests = tenant->second;
  const auto found = std::find(requests.begin(), requests.end(), request);
  if (found == requests.end()) return false;
  requests.erase(found);
  --size_;
  if (requests.empty()) {
    std::erase(turns_, tenant);
    tenants_.erase(tenant);
  }
  return true;
}

}  // namespace aiserve::inline v0::pg
