#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "clients/cli/command.h"

namespace facegate::cli {

// The identity that a command is about.
struct IdentityPath {
  std::string collection;
  std::string identity;

  template <typename Request>
  void CopyTo(Request& request) const {
    request.set_collection_id(collection);
    request.set_identity_id(identity);
  }
};

// Adds -c/--collection and ID.
inline void AddIdentityPath(CLI::App& app, IdentityPath& path,
                            const std::string& description = "The identity") {
  AddCollectionOption(app, path.collection);
  app.add_option("ID", path.identity, description)->required();
}

// A row for each identity.
void PrintIdentities(Session& session, const std::vector<v1::Identity>& identities);

// Adds to the family `identity` what changes one: rename, merge, label.
void AddIdentityChanges(CLI::App& family, Commands& commands);

}  // namespace facegate::cli
