#include "aiserve/core/principal.hpp"

#include <doctest/doctest.h>

#include "aiserve/core/context.hpp"

namespace aiserve {
namespace {

TEST_CASE("nobody has no scopes, no tenant and no claims") {
  const Principal nobody;
  CHECK(nobody.is_nobody());
  CHECK(nobody.subject().empty());
  CHECK(nobody.tenant().empty());
  CHECK(nobody.scopes().empty());
  CHECK_FALSE(nobody.has_scope(""));
  CHECK_FALSE(nobody.claim("sub").has_value());
  CHECK(nobody.expires() == WallTime::max());
}

TEST_CASE("a principal has the scopes it was given, in whatever order") {
  const Principal ada({.subject = "ada",
                       .tenant = TenantId("acme"),
                       .scopes = {"train", "infer", "train"},
                       .claims = {{"email", "ada@example.org"}}});
  CHECK_FALSE(ada.is_nobody());
  CHECK(ada.scopes().size() == 2);
  CHECK(ada.has_scope("infer"));
  CHECK(ada.has_scope("train"));
  CHECK_FALSE(ada.has_scope("tra"));
  CHECK_FALSE(ada.has_scope(""));
  CHECK(ada.claim("email") == "ada@example.org");
  CHECK_FALSE(ada.claim("mail").has_value());
}

TEST_CASE("a Context carries who asks to all that is done on its behalf") {
  const Context root{ContextOptions{}};
  CHECK(root.principal().is_nobody());
  const Context of_ada =
      root.with_identity(Tenant({.id = TenantId("acme")}), Principal({.subject = "ada"}));
  CHECK(of_ada.tenant().id() == TenantId("acme"));
  CHECK(of_ada.child().principal().subject() == "ada");
  CHECK(of_ada.with_priority(Priority::background).principal().subject() == "ada");
  CHECK(of_ada.with_tenant(Tenant()).principal().subject() == "ada");
  CHECK(root.principal().is_nobody());
  root.cancel(CancelReason::user);
  CHECK(of_ada.reason() == CancelReason::user);
}

}  // namespace
}  // namespace aiserve
