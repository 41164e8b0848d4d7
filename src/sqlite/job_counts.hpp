// JobCounts: how many jobs of each kind and tenant wait, are ready and run, kept in the
// transactions that change jobs so that nobody ever counts them. The writes of a group share it:
// a row is read once and written once per commit. Used by one thread at a time.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "aiserve/core/tenant.hpp"
#include "decide/job_state.hpp"
#include "sqlite/commit_part.hpp"
#include "sqlite/connection.hpp"

namespace aiserve::inline v0::detail {

struct JobNumbers {
  std::int64_t waiting = 0;
  std::int64_t ready = 0;
  std::int64_t running = 0;
  bool none() const noexcept { return waiting == 0 && ready == 0 && running == 0; }
};

class JobCounts final : public CommitPart {
 public:
  void add(std::string_view kind, const TenantId& tenant, decide::JobState state, std::int64_t by);
  /// Jobs of the tenant that do not run yet, those of this transaction included.
  std::int64_t waiting(Connection& connection, std::string_view kind, const TenantId& tenant);
  /// The table is as the jobs are.
  void write(Connection& connection) override;
  void forget() noexcept override { rows_.clear(); }

 private:
  struct Row {
    std::optional<JobNumbers> stored;  // as read or written in this transaction
    JobNumbers change;
  };
  using Key = std::pair<std::string, TenantId>;
  /// A Key, looked up without a copy.
  struct View {
    std::string_view kind;
    std::string_view tenant;
    auto operator<=>(const View&) const = default;
  };
  struct Less {
    using is_transparent = void;
    static View view(const View& key) noexcept { return key; }
    static View view(const Key& key) noexcept { return {key.first, key.second.view()}; }
    template <class A, class B>
    bool operator()(const A& a, const B& b) const noexcept {
      return view(a) < view(b);
    }
  };
  using Rows = std::map<Key, Row, Less>;

  Rows::value_type& row_of(std::string_view kind, const TenantId& tenant);
  static void read(Connection& connection, const Key& key, Row& row);
  static void write_row(Connection& connection, const Key& key, Row& row);

  Rows rows_;
};

}  // namespace aiserve::inline v0::detail
