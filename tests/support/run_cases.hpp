// Runs a conformance suite in simulated time, each case over a store of its own.
#pragma once

#include <span>

#include <doctest/doctest.h>

#include "aiserve/testing/sim_runtime.hpp"
#include "aiserve/testing/store_conformance.hpp"

namespace aiserve::inline v0::testing {

// `make(sim)` gives a pointer-like to a store over a runtime that was not started yet.
template <class Store, class Make>
void run_cases(std::span<const StoreCase<Store>> cases, const Make& make) {
  for (const StoreCase<Store>& one : cases) {
    SimRuntime sim;
    const auto store = make(sim);
    sim.start();
    const PassTime pass = [&](Duration by) { sim.clock().advance(by); };
    const Result<void> held = block_on(sim.runtime(), one.run(Context::background(), *store, pass));
    CHECK_MESSAGE(held.ok(), one.name, ": ", (held ? "" : held.error().to_string()));
  }
}

}  // namespace aiserve::inline v0::testing
