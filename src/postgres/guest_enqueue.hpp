// Enqueueing in a transaction of the host, on its own connection.
#pragma once

#include "postgres/job_transaction.hpp"
#include "postgres/postgres_core.hpp"

namespace aiserve::inline v0::pg {

/// Blocks. Errors: as PostgresJobStore::enqueue_in().
Result<std::vector<Enqueued>> enqueue_as_guest(PostgresCore& core, pg_conn* connection,
                                               std::span<const NewJob> jobs);

}  // namespace aiserve::inline v0::pg
