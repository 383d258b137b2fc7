#pragma once

#include <optional>
#include <set>
#include <string>

#include "clients/cli/enrolment_plan.h"
#include "clients/cpp/facegate_client.h"
#include "clients/cpp/retry.h"

// The identity of a person's folder, as it is on the server.
namespace facegate::cli {

struct FolderIdentity {
  bool exists = false;
  // Says which folder it came from; one that was made by other means does not.
  bool labelled = false;
  // Set when it came from a folder of another name: what to tell. Nothing may be added to it.
  std::optional<std::string> conflict{};
  // The digests of the photos that it has templates of (Template.source_digest).
  std::set<std::string> digests{};
};

enum class WithDigests { kNo, kYes };

// Looks the person's identity up. Fails when the server refuses or cannot be reached; where
// there is no such identity, `exists` is false.
ClientResult<FolderIdentity> LookUpFolderIdentity(FacegateClient& client,
                                                  const std::string& collection,
                                                  const PlannedPerson& person, WithDigests digests,
                                                  const RetryOptions& retry);

// Gives the identity the label that says which folder it came from.
std::optional<ClientError> LabelFolderIdentity(FacegateClient& client,
                                               const std::string& collection,
                                               const PlannedPerson& person,
                                               const RetryOptions& retry);

}  // namespace facegate::cli
