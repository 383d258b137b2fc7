#pragma once

#include <functional>
#include <string>
#include <vector>

#include "clients/cli/enrolment_plan.h"
#include "clients/cli/photo.h"
#include "clients/cli/progress.h"
#include "clients/cpp/facegate_client.h"
#include "clients/cpp/retry.h"

namespace facegate::cli {

struct BulkOptions {
  std::string collection{};
  bool must_be_new = false;  // a person who exists already fails as a whole
  bool again = false;        // also photos that the identity has a template of
  int jobs = 8;              // requests in flight, 1 or more
  PhotoOptions photo{};
  RetryOptions retry{.broken_connections = 3};  // each change has a request_id
  // Asked by several threads before each photo: whether to end early, and send no more.
  std::function<bool()> interrupted = [] { return false; };
};

struct BulkFailure {
  std::string file;  // or folder
  std::string reason;
  std::string message;
};

struct BulkReport {
  size_t people = 0;     // with one new template or more
  size_t templates = 0;  // enrolled
  size_t already = 0;    // photos of which the identity had a template
  size_t not_sent =
      0;  // photos that nobody tried: the server was unreachable, or it was interrupted
  bool refused = false;  // the server refused a photo or a person, or did not answer in time
  std::vector<BulkFailure> failures;  // in the order of the plan
  bool unreachable = false;           // the connection was lost and the rest given up
  bool interrupted = false;           // it was told to end early
  ClientError last_error;             // when unreachable
  double seconds = 0.0;
};

// Enrols the plan's photos, one request each, with `jobs` people at a time (a person's photos go
// one after the other). A photo of which the identity has a template is not sent again, so that
// what was interrupted is completed by doing it again. Each identity gets the label that says which
// folder it came from; to one that came from another folder nothing is added. A photo that fails is
// noted and the rest goes on; a server that says when to come back is waited for; when it cannot be
// reached, also not a moment later, all stops.
BulkReport EnrollPlan(FacegateClient& client, const EnrolmentPlan& plan, const BulkOptions& options,
                      Progress& progress);

}  // namespace facegate::cli
