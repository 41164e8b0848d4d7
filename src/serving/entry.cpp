#include "serving/entry.hpp"

namespace aiserve::inline v0::detail {

BatchEntry::BatchEntry(const Context& ctx, TimePoint now) : context(ctx), submitted(now) {
  arrived = nanos(now);
  if (ctx.deadline().reachable()) deadline = nanos(ctx.deadline().at());
  priority = static_cast<decide::Priority>(ctx.priority());
}

}  // namespace aiserve::inline v0::detail
