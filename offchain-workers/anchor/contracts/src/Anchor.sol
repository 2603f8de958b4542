// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Settings, Status} from "./Types.sol";
import {Inbox} from "./Inbox.sol";
import {LightClient} from "./LightClient.sol";
import {Recoverable} from "./Recoverable.sol";
import {Vault} from "./Vault.sol";

/// A Millrace chain on its anchor: light client, messages both ways, and FLT. It has no owner and cannot be changed.
contract Anchor is Vault {
    constructor(Settings memory settings)
        LightClient(settings)
        Inbox(settings)
        Recoverable(settings)
        Vault(settings)
    {}

    /// Where client and inbox stand. One read, so that what it says belongs together.
    function status() external view returns (Status memory) {
        Head memory h = head;
        return Status({
            latestBlock: h.blockNumber,
            root: latestRoot(),
            setId: h.setId,
            nonce: inboxNonce,
            acc: accumulatorAt[inboxNonce],
            lastEpoch: h.acceptedEpoch,
            frozen: h.frozen
        });
    }
}
