/// What every EventBus has to do, as cases that any test framework can run. A case ends in an error
/// that says in its message what the bus did wrong. Each uses topics of its own, named
/// "conformance/...". A bus whose events take their way through a network may deliver later than
/// publish() returns: the cases wait for what must come, and take order for the proof that nothing
/// else came before.
/// *Thread safety:* as the bus.
///
///     for (const testing::EventBusCase& one : testing::event_bus_cases()) {
///       const Result<void> held = block_on(runtime, one.run(Context::background(), bus));
///       CHECK_MESSAGE(held.ok(), one.name, held.error().message());
///     }
#pragma once

#include <aiserve/events/event_bus.hpp>

#include <span>
#include <string_view>

namespace aiserve::inline v0::testing {

struct EventBusCase {
  std::string_view name;
  Async<void> (*run)(const Context& ctx, EventBus& bus);
};

std::span<const EventBusCase> event_bus_cases() noexcept;

}  // namespace aiserve::inline v0::testing
