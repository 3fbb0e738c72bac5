// SPDX-License-Identifier: Apache-2.0
// The mailer with a transport of one's own, for tests. Inside of the module.
#pragma once
#include "community/notifications/mail_transport.hpp"

namespace community::notifications {

std::unique_ptr<Mailer> make_mailer_with(MailerDependencies dependencies, MailerOptions options,
                                         std::unique_ptr<MailTransport> transport);

}  // namespace community::notifications
